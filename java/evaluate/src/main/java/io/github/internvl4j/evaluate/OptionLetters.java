package io.github.internvl4j.evaluate;

import java.util.Map;

/** The letter that an answer to a multiple choice stands for, as all of the original's scripts find it. */
final class OptionLetters {
    private OptionLetters() {}

    /** The letter of the option at a place. */
    static String letter(int index) {
        return String.valueOf((char) ('A' + index));
    }

    /**
     * A letter, or the whole answer where none is found. An answer of blanks, at which the original fails, is empty.
     *
     * @param options texts by letter, in order
     */
    static String choose(String answer, Map<String, String> options) {
        String stripped = Python.strip(answer);
        String first = Python.first(stripped);
        if (Python.length(stripped) <= 1 || options.containsKey(first)) {
            return first;
        }
        return options.entrySet().stream()
                .filter(option -> stripped.contains(option.getValue()))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(stripped);
    }
}
