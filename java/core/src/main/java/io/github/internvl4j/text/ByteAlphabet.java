package io.github.internvl4j.text;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The alphabet that byte-level vocabularies are written in: one printable character for each byte, as GPT-2 chose them.
 * A byte that is a printable character of Latin-1 is that character; the others follow from U+0100.
 */
final class ByteAlphabet {
    private static final char[] CHARACTERS = new char[256];
    private static final int[] BYTES = new int[0x100 + 256];

    static {
        Arrays.fill(BYTES, -1);
        char next = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xFF && b != 0xAD;
            CHARACTERS[b] = printable ? (char) b : next++;
            BYTES[CHARACTERS[b]] = b;
        }
    }

    private ByteAlphabet() {}

    static char character(int value) {
        return CHARACTERS[value];
    }

    /** The byte that a character stands for, or -1. */
    static int byteOf(char c) {
        return c < BYTES.length ? BYTES[c] : -1;
    }

    /** How a vocabulary writes these bytes. */
    static String write(byte[] bytes) {
        char[] characters = new char[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            characters[i] = CHARACTERS[bytes[i] & 0xFF];
        }
        return new String(characters);
    }

    /** The bytes of a token: what its characters stand for, or its UTF-8 if one of them stands for none. */
    static byte[] read(String token) {
        byte[] bytes = new byte[token.length()];
        for (int i = 0; i < bytes.length; i++) {
            int value = byteOf(token.charAt(i));
            if (value < 0) {
                return token.getBytes(StandardCharsets.UTF_8);
            }
            bytes[i] = (byte) value;
        }
        return bytes;
    }
}
