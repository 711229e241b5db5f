package io.github.internvl4j.bench.peers;

import java.util.ArrayList;
import java.util.List;

/**
 * A vocabulary in which every token is one character: text has as many tokens as characters, nothing is ever merged, and
 * each decoded token comes out as soon as it is there.
 */
final class OneCharacterTokens {
    /** Before it: unknown, begin, end, and the byte of a line feed, which llama.cpp looks for. */
    static final int FIRST = 4;

    private static final int CJK_UNIFIED = 0x4E00;
    private static final int CJK_UNIFIED_COUNT = 20_902;
    private static final int CJK_EXTENSION_B = 0x20000;
    private static final int CJK_EXTENSION_B_COUNT = 42_711;
    /** Planes 15 and 16, of which nobody has made anything, without the last two of each, which are no characters. */
    private static final int PRIVATE_USE = 0xF0000;

    private static final int PRIVATE_USE_COUNT = 65_534;

    private OneCharacterTokens() {}

    static String piece(int id) {
        return switch (id) {
            case 0 -> "<unk>";
            case 1 -> "<s>";
            case 2 -> "</s>";
            case 3 -> "<0x0A>";
            default -> Character.toString(codePoint(id - FIRST));
        };
    }

    private static int codePoint(int index) {
        if (index < CJK_UNIFIED_COUNT) {
            return CJK_UNIFIED + index;
        }
        if (index < CJK_UNIFIED_COUNT + CJK_EXTENSION_B_COUNT) {
            return CJK_EXTENSION_B + index - CJK_UNIFIED_COUNT;
        }
        int rest = index - CJK_UNIFIED_COUNT - CJK_EXTENSION_B_COUNT;
        return PRIVATE_USE + rest + rest / PRIVATE_USE_COUNT * 2;
    }

    static List<String> pieces(int vocabulary) {
        List<String> pieces = new ArrayList<>(vocabulary);
        for (int id = 0; id < vocabulary; id++) {
            pieces.add(piece(id));
        }
        return pieces;
    }
}
