package io.github.internvl4j.text;

import java.text.Normalizer;

/**
 * NFC as the tokenizers library has it: by the tables of an older Unicode, for which some combining marks did not exist
 * yet. To it they are characters like any other, across which nothing is put together or in order.
 */
final class FastNormalizer {
    private static final int[] NOT_YET_COMBINING = UnicodeLetters.ranges(
            "7FD 898-89F 8CA-8D3 9FE C3C D3B-D3C EBA 1715 1ABF-1ACE 1DF6-1DFA A82C 10D24-10D27 10EAB-10EAC "
                    + "10EFD-10EFF 10F46-10F50 10F82-10F85 11070 1133B 1145E 11839-1183A 11930 1193D-1193E 11943 119E0 11A34 "
                    + "11A47 11A99 11D42 11D44-11D45 11D97 11F41-11F42 16FF0-16FF1 1E130-1E136 1E2AE 1E2EC-1E2EF 1E4EC-1E4EF");
    private static final int FIRST = NOT_YET_COMBINING[0];

    private FastNormalizer() {}

    static String nfc(String text) {
        StringBuilder out = new StringBuilder(text.length());
        int from = 0;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            int end = i + Character.charCount(c);
            if (c >= FIRST && UnicodeLetters.within(NOT_YET_COMBINING, c)) {
                out.append(Normalizer.normalize(text.substring(from, i), Normalizer.Form.NFC))
                        .append(text, i, end);
                from = end;
            }
            i = end;
        }
        return from == 0
                ? Normalizer.normalize(text, Normalizer.Form.NFC)
                : out.append(Normalizer.normalize(text.substring(from), Normalizer.Form.NFC))
                        .toString();
    }
}
