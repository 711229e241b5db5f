package io.github.internvl4j.evaluate;

import java.util.Map;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** The letter that MMMU's own parser finds in an answer. InternVL's scripts use {@link OptionLetters} instead. */
final class MmmuChoice {
    private static final String MARKS = ",.!?;:'";
    /** In an answer of more words an option's text is looked for. */
    private static final int SHORT = 5;

    private MmmuChoice() {}

    /** @return null where the original draws a letter at random */
    static @Nullable String parse(String answer, Map<String, String> options) {
        String text = " " + stripped(answer) + " ";
        String letter = last(options, option -> text.lastIndexOf("(" + option.getKey() + ")"));
        if (letter == null) {
            letter = last(options, option -> text.lastIndexOf(" " + option.getKey() + " "));
        }
        if (letter == null && Python.words(text).size() > SHORT) {
            String lower = Python.lower(text);
            letter = last(options, option -> lower.lastIndexOf(Python.lower(option.getValue())));
        }
        return letter;
    }

    private static String stripped(String answer) {
        String text = answer;
        for (int i = 0; i < MARKS.length(); i++) {
            text = Python.strip(text, MARKS.charAt(i));
        }
        return text;
    }

    /** The option that stands last; of two in the same place the first. */
    private static @Nullable String last(Map<String, String> options, ToIntFunction<Map.Entry<String, String>> place) {
        String letter = null;
        int last = -1;
        for (Map.Entry<String, String> option : options.entrySet()) {
            int at = place.applyAsInt(option);
            if (at > last) {
                last = at;
                letter = option.getKey();
            }
        }
        return letter;
    }
}
