package io.github.internvl4j.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The older VQA scorer's report, in percent with two places.
 *
 * @param byQuestionType as the annotations name the types, by name
 * @param byAnswerType likewise
 */
record LegacyVqaReport(double overall, Map<String, Double> byQuestionType, Map<String, Double> byAnswerType) {
    /**
     * An answer's score.
     *
     * @param questionType empty if the annotations have none
     * @param answerType likewise
     */
    record Scored(double score, String questionType, String answerType) {}

    static LegacyVqaReport of(List<Scored> scores) {
        return new LegacyVqaReport(
                percent(scores), percents(scores, Scored::questionType), percents(scores, Scored::answerType));
    }

    private static double percent(List<Scored> scores) {
        double sum = 0;
        for (Scored one : scores) {
            sum += one.score();
        }
        return scores.isEmpty() ? 0 : Python.round(100 * sum / scores.size(), 2);
    }

    private static Map<String, Double> percents(List<Scored> scores, Function<Scored, String> type) {
        Map<String, List<Scored>> groups = new TreeMap<>();
        scores.stream()
                .filter(one -> !type.apply(one).isEmpty())
                .forEach(one -> groups.computeIfAbsent(type.apply(one), t -> new ArrayList<>())
                        .add(one));
        Map<String, Double> percents = new TreeMap<>();
        groups.forEach((name, members) -> percents.put(name, percent(members)));
        return percents;
    }

    /** A line for each type; empty if the annotations name none. */
    String text() {
        StringBuilder text = new StringBuilder();
        byQuestionType.forEach((type, percent) -> line(text, "question type " + type, percent));
        byAnswerType.forEach((type, percent) -> line(text, "answer type " + type, percent));
        return text.toString();
    }

    private static void line(StringBuilder text, String type, double percent) {
        text.append("vqa-legacy, ")
                .append(type)
                .append(": ")
                .append(Python.fixed(percent, 2))
                .append('\n');
    }
}
