package io.github.internvl4j.evaluate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** MMMU's open answers, as its published parser reads them, and its report. */
final class MmmuAnswers {
    private static final List<String> INDICATORS = Tables.list("/mmmu/indicators");
    private static final String LAST_INDICATOR = Tables.text("/mmmu/last_indicator");
    private static final Set<String> TRIVIAL = new LinkedHashSet<>(Tables.list("/mmmu/trivial"));
    private static final Pattern SENTENCES = Python.pattern(Tables.text("/mmmu/sentence_split"));
    private static final List<Pattern> NUMBERS =
            Tables.list("/mmmu/number_patterns").stream().map(Python::pattern).toList();

    private MmmuAnswers() {}

    /** What an answer may mean: strings, and numbers as {@link Double}. */
    static Set<Object> parse(String answer) {
        List<String> keys = keys(answer);
        Set<Object> parsed = new LinkedHashSet<>();
        keys.forEach(key -> add(parsed, normalized(key)));
        for (String key : keys) {
            for (Pattern pattern : NUMBERS) {
                for (Matcher number = pattern.matcher(key); number.find(); ) {
                    add(parsed, normalized(number.group()));
                }
            }
        }
        return parsed;
    }

    /** As Python's sets do: 0.0 and -0.0 are one. */
    private static void add(Set<Object> parsed, List<Object> values) {
        for (Object value : values) {
            if (!(value instanceof Double number) || !parsed.contains(-number) || number != 0) {
                parsed.add(value);
            }
        }
    }

    /** Whether an open answer is right: one of its strings holds a gold one, or one of its numbers is a gold one. */
    static boolean isRight(String answer, List<String> golds) {
        Set<Object> gold = new LinkedHashSet<>();
        golds.forEach(one -> gold.addAll(normalized(one)));
        return parse(answer).stream().anyMatch(said -> matches(said, gold));
    }

    private static boolean matches(Object said, Set<Object> gold) {
        if (said instanceof String text) {
            return gold.stream().anyMatch(one -> one instanceof String string && text.contains(string));
        }
        // As numbers: -0.0 is 0.0, and nan is nothing.
        return gold.stream().anyMatch(one -> one instanceof Double number && number.doubleValue() == (Double) said);
    }

    private static List<String> keys(String answer) {
        String text = Python.lower(Python.strip(Python.strip(answer), '.'));
        String[] sentences = SENTENCES.split(text, -1);
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < sentences.length; i++) {
            String key = key(sentences[i], i == sentences.length - 1);
            if (key != null && !key.isEmpty() && !TRIVIAL.contains(key)) {
                keys.add(key);
            }
        }
        return keys.isEmpty() ? List.of(text) : keys;
    }

    private static @Nullable String key(String sentence, boolean last) {
        List<String> indicators = new ArrayList<>(INDICATORS);
        if (last) {
            indicators.add(LAST_INDICATOR);
        }
        String shortest = null;
        for (String indicator : indicators) {
            if (sentence.contains(indicator)) {
                String rest = Python.strip(lastPart(sentence, indicator));
                if (shortest == null || shortest.isEmpty() || Python.length(rest) < Python.length(shortest)) {
                    shortest = rest;
                }
            }
        }
        return shortest;
    }

    /** Splits from the left, as Python does, so that overlapping indicators are found as there. */
    private static String lastPart(String sentence, String indicator) {
        List<String> parts = Python.split(sentence, indicator);
        return parts.get(parts.size() - 1);
    }

    private static List<Object> normalized(String text) {
        String stripped = Python.strip(text);
        Double number = Python.real(stripped.replace(",", ""));
        if (number != null) {
            return List.of(Python.round(number, 2));
        }
        String lower = Python.lower(stripped);
        return Python.length(lower) == 1 ? List.of(" " + lower, lower + " ") : List.of(lower);
    }

    /** Right answers of a subject. */
    record Subject(int questions, int right) {
        double accuracy() {
            return (double) right / questions;
        }

        Subject plus(Subject other) {
            return new Subject(questions + other.questions, right + other.right);
        }
    }

    /** A line of the report. */
    record Line(int questions, double accuracy) {}

    /** Subjects, domains and the whole, in the original's order; accuracies with three places. */
    static Map<String, Line> report(Map<String, Subject> subjects) {
        Map<String, Line> report = new LinkedHashMap<>();
        Tables.lists("/mmmu/domains").forEach((domain, members) -> {
            List<String> present =
                    members.stream().filter(subjects::containsKey).toList();
            report.put("Overall-" + domain, line(present, subjects));
            present.forEach(subject -> report.put(subject, line(List.of(subject), subjects)));
        });
        report.put("Overall", line(List.copyOf(subjects.keySet()), subjects));
        return report;
    }

    private static Line line(List<String> names, Map<String, Subject> subjects) {
        double right = 0;
        int questions = 0;
        for (String name : names) {
            Subject subject = subjects.getOrDefault(name, new Subject(0, 0));
            right += subject.questions() == 0 ? 0 : subject.accuracy() * subject.questions();
            questions += subject.questions();
        }
        return new Line(questions, questions == 0 ? 0 : Python.round(right / questions, 3));
    }
}
