package io.github.internvl4j.evaluate;

/** Whether a capital sigma ends a word, by Unicode's rule, which Java follows only in part. */
final class FinalSigma {
    /** Marks within words, which are passed over. */
    private static final String WITHIN =
            "'.:^`\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";

    private static final int PASSED_OVER = 1 << Character.NON_SPACING_MARK
            | 1 << Character.ENCLOSING_MARK
            | 1 << Character.FORMAT
            | 1 << Character.MODIFIER_LETTER
            | 1 << Character.MODIFIER_SYMBOL;

    private FinalSigma() {}

    /** A letter with case before it, and none behind. */
    static boolean is(String text, int at) {
        int before = at;
        while (before > 0 && isPassedOver(text.codePointBefore(before))) {
            before -= Character.charCount(text.codePointBefore(before));
        }
        int behind = at + 1;
        while (behind < text.length() && isPassedOver(text.codePointAt(behind))) {
            behind += Character.charCount(text.codePointAt(behind));
        }
        return before > 0
                && isCased(text.codePointBefore(before))
                && (behind == text.length() || !isCased(text.codePointAt(behind)));
    }

    private static boolean isPassedOver(int c) {
        return (1 << Character.getType(c) & PASSED_OVER) != 0 || WITHIN.indexOf(c) >= 0;
    }

    private static boolean isCased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    }
}
