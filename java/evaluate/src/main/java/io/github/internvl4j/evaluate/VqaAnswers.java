package io.github.internvl4j.evaluate;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The soft score of ten people's answers: EvalAI's processor, and the older one of VQAv2. */
final class VqaAnswers {
    private static final Map<String, String> CONTRACTIONS = Tables.map("/vqa/contractions");
    private static final Map<String, String> NUMBERS = Tables.map("/vqa/numbers");
    private static final Set<String> ARTICLES = Set.copyOf(Tables.list("/vqa/articles"));
    private static final List<String> MARKS = Tables.list("/vqa/punctuation");
    private static final Pattern PERIOD = Python.pattern(Tables.text("/vqa/period_strip"));
    /** The original passes a flag where the count stands. */
    private static final int MAX_PERIODS = Integer.parseInt(Tables.text("/vqa/period_strip_max_replacements"));

    private static final Pattern COMMA = Python.pattern(Tables.text("/vqa/comma_strip"));

    private VqaAnswers() {}

    /** An answer as EvalAI's processor has it. */
    static String normalized(String answer) {
        String words = Python.lower(answer).replace(",", "").replace("?", "").replace("'s", " 's");
        return legacyNormalized(Python.strip(words));
    }

    /** A prediction as the older scorer has it. */
    static String legacyNormalized(String answer) {
        return withoutArticles(
                withoutMarks(Python.strip(answer.replace('\n', ' ').replace('\t', ' '))));
    }

    /**
     * The share of people who agree: leaving out each in turn, a third for each other who said it, 1 at most; the mean.
     *
     * @param people their answers as they are given
     */
    static double score(String prediction, List<String> people) {
        return agreement(
                normalized(prediction),
                people.stream().map(VqaAnswers::normalized).toList());
    }

    /** The same by the older scorer, in percent with two places. */
    static double legacyPercent(String prediction, List<String> people) {
        return Python.round(100 * legacyScore(prediction, people), 2);
    }

    /** By the older scorer: people's answers lose their marks, and only where they differ. */
    static double legacyScore(String prediction, List<String> people) {
        boolean differ = new HashSet<>(people).size() > 1;
        return agreement(
                legacyNormalized(prediction),
                differ ? people.stream().map(VqaAnswers::withoutMarks).toList() : people);
    }

    private static double agreement(String prediction, List<String> people) {
        double sum = 0;
        for (int left = 0; left < people.size(); left++) {
            int same = 0;
            for (int other = 0; other < people.size(); other++) {
                same += other != left && people.get(other).equals(prediction) ? 1 : 0;
            }
            sum += Math.min(1, same / 3.0);
        }
        return people.isEmpty() ? 0 : sum / people.size();
    }

    private static String withoutMarks(String text) {
        boolean comma = COMMA.matcher(text).find();
        String result = text;
        for (String mark : MARKS) {
            boolean delete = comma || text.contains(mark + " ") || text.contains(" " + mark);
            result = result.replace(mark, delete ? "" : " ");
        }
        return withoutPeriods(result);
    }

    private static String withoutPeriods(String text) {
        Matcher period = PERIOD.matcher(text);
        StringBuilder result = new StringBuilder();
        for (int count = 0; count < MAX_PERIODS && period.find(); count++) {
            period.appendReplacement(result, "");
        }
        return period.appendTail(result).toString();
    }

    private static String withoutArticles(String text) {
        List<String> words = new ArrayList<>();
        for (String word : Python.words(Python.lower(text))) {
            String number = NUMBERS.getOrDefault(word, word);
            if (!ARTICLES.contains(number)) {
                words.add(CONTRACTIONS.getOrDefault(number, number));
            }
        }
        return String.join(" ", words);
    }
}
