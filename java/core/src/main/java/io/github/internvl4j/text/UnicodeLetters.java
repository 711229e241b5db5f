package io.github.internvl4j.text;

/**
 * Which characters are letters or numbers. That depends on the version of Unicode, and the tokens of a text must not
 * depend on the Java it runs on: to what Java 17 knows (Unicode 13), what came later is added from here.
 */
enum UnicodeLetters {
    /** As Python's regex, which the slow tokenizers use. */
    UNICODE_18(true),
    /** As the tokenizers library, which the fast tokenizers are. */
    UNICODE_16(false);

    static final int OTHER = 0;
    static final int LETTER = 1;
    static final int NUMBER = 2;
    static final int SPACE = 3;

    private static final int[] LETTERS_14_TO_16 = ranges(
            "870-887 889-88E 8B5 8C8-8C9 C5D CDD 170D 171F 1B4C 1C89-1C8A 2C2F 2C5F 9FFD-9FFF A7C0-A7C1 A7CB-A7CD "
                    + "A7D0-A7D1 A7D3 A7D5-A7DC A7F2-A7F4 10570-1057A 1057C-1058A 1058C-10592 10594-10595 10597-105A1 "
                    + "105A3-105B1 105B3-105B9 105BB-105BC 105C0-105F3 10780-10785 10787-107B0 107B2-107BA 10D4A-10D65 "
                    + "10D6F-10D85 10EC2-10EC4 10F70-10F81 11071-11072 11075 1123F-11240 11380-11389 1138B 1138E "
                    + "11390-113B5 113B7 113D1 113D3 11740-11746 11AB0-11ABF 11BC0-11BE0 11F02 11F04-11F10 11F12-11F33 "
                    + "12F90-12FF0 1342F 13441-13446 13460-143FA 16100-1611D 16A70-16ABE 16D40-16D6C 18CFF 1AFF0-1AFF3 "
                    + "1AFF5-1AFFB 1AFFD-1AFFE 1B11F-1B122 1B132 1B155 1DF00-1DF1E 1DF25-1DF2A 1E030-1E06D 1E290-1E2AD "
                    + "1E4D0-1E4EB 1E5D0-1E5ED 1E5F0 1E7E0-1E7E6 1E7E8-1E7EB 1E7ED-1E7EE 1E7F0-1E7FE 2A6DE-2A6DF "
                    + "2B735-2B739 2EBF0-2EE5D 31350-323AF");
    private static final int[] LETTERS_17_TO_18 =
            ranges("558 58B-58C 88F C5C CDC 208F 209D-209F A7CE-A7CF A7D2 A7D4 A7DD A7E2 A7F1 AB6C-AB6D 107BB-107BF "
                    + "10940-10959 10EC5-10EC7 10ED9-10EEE 11B0A 11DB0-11DDB 11DF1 16EA0-16EB8 16EBB-16ED3 16FF2-16FF3 "
                    + "187F8-187FF 18CD6-18CDA 18D09-18D20 18D80-18DF2 18E00-19191 191A0-191D2 1B123-1B128 1B168 1D6A6 "
                    + "1DF1F-1DF24 1DF2B-1DF81 1DF90-1DF96 1DFCD-1DFFF 1E6C0-1E6DE 1E6E0-1E6E2 1E6E4-1E6E5 1E6E7-1E6ED "
                    + "1E6F0-1E6F4 1E6FE-1E6FF 2B73A-2B73F 2B81E 2CEA2-2CEAD 323B0-33479 3D000-3FC3F");
    private static final int[] NUMBERS_14_TO_16 =
            ranges("10D40-10D49 116D0-116E3 11BF0-11BF9 11F50-11F59 16130-16139 16AC0-16AC9 16D70-16D79 1CCF0-1CCF9 "
                    + "1D2C0-1D2D3 1E4F0-1E4F9 1E5F1-1E5FA");
    private static final int[] NUMBERS_17_TO_18 = ranges("11DE0-11DE9 1246F 12475-1247F 12550-12686 16FF4-16FF6");

    private final boolean newest;

    UnicodeLetters(boolean newest) {
        this.newest = newest;
    }

    /** {@code \p{L}}, {@code \p{N}}, {@code \s} or none of them. */
    int kind(int c) {
        if (c < 128) {
            return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
                    ? LETTER
                    : c >= '0' && c <= '9' ? NUMBER : c == ' ' || c >= 9 && c <= 13 ? SPACE : OTHER;
        }
        return switch (Character.getType(c)) {
            case Character.UPPERCASE_LETTER,
                    Character.LOWERCASE_LETTER,
                    Character.TITLECASE_LETTER,
                    Character.MODIFIER_LETTER,
                    Character.OTHER_LETTER -> LETTER;
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> NUMBER;
            case Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> SPACE;
            case Character.UNASSIGNED -> kindOfNewer(c);
            default -> c == 0x85 ? SPACE : OTHER;
        };
    }

    private int kindOfNewer(int c) {
        if (within(LETTERS_14_TO_16, c) || newest && within(LETTERS_17_TO_18, c)) {
            return LETTER;
        }
        return within(NUMBERS_14_TO_16, c) || newest && within(NUMBERS_17_TO_18, c) ? NUMBER : OTHER;
    }

    /** First and last of each range. */
    static int[] ranges(String hex) {
        IntList bounds = new IntList();
        for (String range : hex.split(" ", -1)) {
            int dash = range.indexOf('-');
            bounds.add(Integer.parseInt(dash < 0 ? range : range.substring(0, dash), 16));
            bounds.add(Integer.parseInt(dash < 0 ? range : range.substring(dash + 1), 16));
        }
        return bounds.toArray();
    }

    static boolean within(int[] ranges, int c) {
        int low = 0;
        int high = ranges.length / 2 - 1;
        while (low <= high) {
            int middle = (low + high) / 2;
            if (c < ranges[2 * middle]) {
                high = middle - 1;
            } else if (c > ranges[2 * middle + 1]) {
                low = middle + 1;
            } else {
                return true;
            }
        }
        return false;
    }
}
