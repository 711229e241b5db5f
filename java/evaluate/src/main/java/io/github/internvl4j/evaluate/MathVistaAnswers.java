package io.github.internvl4j.evaluate;

import java.math.BigInteger;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** MathVista: what is taken out of a response, and what of that is compared. */
final class MathVistaAnswers {
    private static final Pattern QUICK = Python.pattern("The answer is \"(.*)\"\\.");
    private static final Pattern LETTER = Pattern.compile("\\(([a-zA-Z])\\)");

    private MathVistaAnswers() {}

    /**
     * What the rules need to know of a question.
     *
     * @param precision places of a float, null if the data set gives none
     */
    record Problem(
            String questionType,
            String answerType,
            List<String> choices,
            @Nullable Double precision) {
        boolean isChoice() {
            return questionType.equals("multi_choice");
        }
    }

    /** By the rules alone; null where a judge is asked. */
    static @Nullable String extract(String response, Problem problem) {
        if (response.isEmpty() || (problem.isChoice() && problem.choices().contains(response))) {
            return response;
        }
        return switch (problem.answerType()) {
            case "integer" -> text(Python.integer(response));
            case "float" -> real(response);
            default -> null;
        };
    }

    /** The original's option of that name: {@code The answer is "..."}. */
    static @Nullable String quickExtract(String response, Problem problem) {
        String byRule = extract(response, problem);
        Matcher quoted = QUICK.matcher(response);
        return byRule == null && quoted.find() ? quoted.group(1) : byRule;
    }

    /**
     * What is compared with the answer; null counts as wrong.
     *
     * @param asPublished with the precision as the data set's 1.0, which Python's round refuses: every float is null
     */
    static @Nullable String normalize(String extraction, Problem problem, boolean asPublished) {
        if (problem.isChoice()) {
            return choice(extraction, problem.choices());
        }
        Double number = Python.real(extraction);
        return switch (problem.answerType()) {
            case "integer" -> number == null ? null : text(Python.integer(number));
            case "float" -> number == null ? null : rounded(number, problem.precision(), asPublished);
            default -> extraction;
        };
    }

    private static @Nullable String rounded(double number, @Nullable Double precision, boolean asPublished) {
        if (precision == null) {
            return text(Python.round(number));
        }
        return asPublished ? null : Python.text(Python.round(number, precision.intValue()));
    }

    private static @Nullable String text(@Nullable BigInteger number) {
        return number == null ? null : number.toString();
    }

    private static @Nullable String real(String text) {
        Double number = Python.real(text);
        return number == null ? null : Python.text(number);
    }

    private static String choice(String extraction, List<String> choices) {
        String stripped = Python.strip(extraction);
        Matcher letter = LETTER.matcher(stripped);
        String named = letter.find() ? letter.group(1).toUpperCase(Locale.ROOT) : stripped;
        int index = named.length() == 1 ? named.charAt(0) - 'A' : -1;
        return index >= 0 && index < choices.size() ? choices.get(index) : mostSimilar(named, choices);
    }

    /** The choice with the fewest edits; the first of equals. */
    static String mostSimilar(String text, List<String> choices) {
        String best = "";
        int fewest = Integer.MAX_VALUE;
        for (String choice : choices) {
            int edits = distance(text, choice);
            if (edits < fewest) {
                fewest = edits;
                best = choice;
            }
        }
        return best;
    }

    /** Levenshtein's, in code points. */
    private static int distance(String a, String b) {
        int[] from = a.codePoints().toArray();
        int[] to = b.codePoints().toArray();
        int[] row = new int[to.length + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= from.length; i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.length; j++) {
                int replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[to.length];
    }
}
