package io.github.internvl4j.text;

/** What Python's {@code str} does where Java's {@link String} does otherwise. */
final class PythonText {
    private PythonText() {}

    /** {@code str.isspace} of one character; no whitespace lies beyond the basic plane. */
    static boolean isSpace(char c) {
        return c >= 9 && c <= 13
                || c >= 28 && c <= 32
                || c == 0x85
                || c == 0xA0
                || c == 0x1680
                || c >= 0x2000 && c <= 0x200A
                || c == 0x2028
                || c == 0x2029
                || c == 0x202F
                || c == 0x205F
                || c == 0x3000;
    }

    /** {@code str.lstrip()}. */
    static String stripLeading(String text) {
        int from = 0;
        while (from < text.length() && isSpace(text.charAt(from))) {
            from++;
        }
        return text.substring(from);
    }

    /** {@code str.rstrip()}. */
    static String stripTrailing(String text) {
        int end = text.length();
        while (end > 0 && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(0, end);
    }

    /** {@code str.strip()}. */
    static String strip(String text) {
        return stripTrailing(stripLeading(text));
    }

    /**
     * The text with every surrogate that has no partner replaced by U+FFFD: Python cannot hold such a text and encode
     * it, and UTF-8 has no bytes for it.
     */
    static String replaceLoneSurrogates(String text) {
        StringBuilder fixed = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                if (fixed == null) {
                    fixed = new StringBuilder(text);
                }
                fixed.setCharAt(i, '\uFFFD');
            }
        }
        return fixed == null ? text : fixed.toString();
    }
}
