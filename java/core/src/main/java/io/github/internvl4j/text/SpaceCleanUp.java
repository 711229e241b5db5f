package io.github.internvl4j.text;

import java.util.ArrayList;
import java.util.List;

/**
 * {@code clean_up_tokenization} of transformers as a filter of a stream: ten replacements, each over the result of the
 * one before, every one holding back the few characters that might begin its pattern.
 */
final class SpaceCleanUp {
    private static final String[][] REPLACEMENTS = {
        {" .", "."},
        {" ?", "?"},
        {" !", "!"},
        {" ,", ","},
        {" ' ", "'"},
        {" n't", "n't"},
        {" 'm", "'m"},
        {" 's", "'s"},
        {" 've", "'ve"},
        {" 're", "'re"}
    };

    private static final class Replacement {
        final String pattern;
        final String by;
        final StringBuilder held = new StringBuilder();

        Replacement(String pattern, String by) {
            this.pattern = pattern;
            this.by = by;
        }

        String accept(String text, boolean last) {
            held.append(text);
            StringBuilder out = new StringBuilder();
            int from = 0;
            for (int at = held.indexOf(pattern); at >= 0; at = held.indexOf(pattern, from)) {
                out.append(held, from, at).append(by);
                from = at + pattern.length();
            }
            int end = held.length() - (last ? 0 : beginning(from));
            out.append(held, from, end);
            held.delete(0, end);
            return out.toString();
        }

        /** The length of the longest end of what is held that the pattern begins with. */
        private int beginning(int from) {
            int length = Math.min(pattern.length() - 1, held.length() - from);
            while (length > 0 && !pattern.startsWith(held.substring(held.length() - length))) {
                length--;
            }
            return length;
        }
    }

    private final List<Replacement> chain = new ArrayList<>();

    SpaceCleanUp() {
        for (String[] replacement : REPLACEMENTS) {
            chain.add(new Replacement(replacement[0], replacement[1]));
        }
    }

    /** Takes more text, the last of it or not, and gives what is certain. */
    String accept(String text, boolean last) {
        String passed = text;
        for (Replacement replacement : chain) {
            passed = replacement.accept(passed, last);
        }
        return passed;
    }

    /** The same over a whole text. */
    static String apply(String text) {
        String result = text;
        for (String[] replacement : REPLACEMENTS) {
            result = result.replace(replacement[0], replacement[1]);
        }
        return result;
    }
}
