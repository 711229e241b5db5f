package io.github.internvl4j.evaluate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** GQA's official report. */
final class GqaScorer {
    /** Operations that are no step. */
    private static final List<String> NO_STEP = List.of("exist", "query: name", "choose name");

    private GqaScorer() {}

    /**
     * A question with its prediction.
     *
     * @param operations operation and argument of each, as {@code operation: argument}
     * @param words of the question
     * @param group the global group of its answer, null if it has none
     */
    record Case(
            String prediction,
            String answer,
            String structural,
            String semantic,
            List<String> operations,
            int words,
            @Nullable String group) {
        boolean right() {
            return prediction.equals(answer);
        }

        int steps() {
            return (int) operations.stream()
                    .filter(operation -> NO_STEP.stream().noneMatch(operation::contains))
                    .count();
        }
    }

    /** An answer as it is compared. Blanks stay. */
    static String normalized(String answer) {
        return Python.lower(Python.stripEnd(answer, '.'));
    }

    /** In percent; 0 of none. */
    static double accuracy(List<Case> cases) {
        long right = cases.stream().filter(Case::right).count();
        return cases.isEmpty() ? 0 : (double) right / cases.size() * 100;
    }

    /** As the original prints it; validity and plausibility need files that testdev does not have. */
    static String report(List<Case> cases) {
        StringBuilder report = new StringBuilder("\n");
        line(report, "Binary", accuracy(where(cases, false)), "%\n");
        line(report, "Open", accuracy(where(cases, true)), "%\n");
        line(report, "Accuracy", accuracy(cases), "%\n");
        report.append("Validity: 0.00%\nPlausibility: 0.00%\n");
        line(report, "Distribution", distribution(cases), " (lower is better)\n");
        groups(report, "Accuracy / structural type", cases, Case::structural);
        groups(report, "Accuracy / semantic type", cases, Case::semantic);
        groups(report, "Accuracy / steps number", cases, Case::steps);
        groups(report, "Accuracy / words number", cases, Case::words);
        return report.toString();
    }

    private static void line(StringBuilder report, String name, double value, String end) {
        report.append(name).append(": ").append(Python.fixed(value, 2)).append(end);
    }

    private static List<Case> where(List<Case> cases, boolean open) {
        return cases.stream()
                .filter(one -> one.structural().equals("query") == open)
                .toList();
    }

    private static <K extends Comparable<K>> void groups(
            StringBuilder report, String title, List<Case> cases, Function<Case, K> key) {
        Map<K, List<Case>> groups = new TreeMap<>();
        cases.forEach(one ->
                groups.computeIfAbsent(key.apply(one), k -> new ArrayList<>()).add(one));
        report.append('\n').append(title).append(":\n");
        groups.forEach((name, members) ->
                line(report, "  " + name, accuracy(members), "% (" + members.size() + " questions)\n"));
    }

    /** Chi-square of the predictions' distribution within the groups of answers, over 100. */
    private static double distribution(List<Case> cases) {
        Map<String, Map<String, Integer>> gold = new LinkedHashMap<>();
        Map<String, Map<String, Integer>> said = new LinkedHashMap<>();
        for (Case one : cases) {
            if (one.group() != null) {
                count(gold, one.group(), one.answer());
                count(said, one.group(), one.prediction());
            }
        }
        double sum = 0;
        int all = 0;
        for (Map.Entry<String, Map<String, Integer>> group : gold.entrySet()) {
            double score = 0;
            int overall = 0;
            for (Map.Entry<String, Integer> answer : group.getValue().entrySet()) {
                int expected = answer.getValue();
                int observed = said.getOrDefault(group.getKey(), Map.of()).getOrDefault(answer.getKey(), 0);
                score += Math.pow((double) observed - expected, 2) / expected;
                overall += expected;
            }
            sum += score * overall;
            all += overall;
        }
        return all == 0 ? 0 : sum / all / 100;
    }

    private static void count(Map<String, Map<String, Integer>> counts, String group, String answer) {
        counts.computeIfAbsent(group, g -> new LinkedHashMap<>()).merge(answer, 1, Integer::sum);
    }
}
