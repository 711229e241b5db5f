package io.github.internvl4j.cli;

import io.github.internvl4j.error.InvalidOptionException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** Texts from files, where damage is an error and not a question mark. */
final class Utf8 {
    private Utf8() {}

    /**
     * A byte order mark at the start is no part of the text; that of UTF-16, which Windows writes, makes it UTF-16.
     *
     * @param source what messages call the bytes
     * @throws InvalidOptionException if they are no text
     */
    static String decode(byte[] bytes, String source) {
        String text = decode(bytes, charset(bytes), source);
        return text.startsWith("\ufeff") ? text.substring(1) : text;
    }

    /**
     * Every character counts, a byte order mark, too.
     *
     * @param source what messages call the bytes
     * @throws InvalidOptionException if they are no UTF-8
     */
    static String decodeAll(byte[] bytes, String source) {
        return decode(bytes, StandardCharsets.UTF_8, source);
    }

    private static String decode(byte[] bytes, Charset charset, String source) {
        try {
            return charset.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new InvalidOptionException(source + " is not " + charset, e);
        }
    }

    /** The encoding that a byte order mark at the start tells, UTF-8 without one. */
    static Charset charset(byte[] start) {
        if (start.length < 2) {
            return StandardCharsets.UTF_8;
        }
        int mark = (start[0] & 0xff) << 8 | start[1] & 0xff;
        return mark == 0xfffe
                ? StandardCharsets.UTF_16LE
                : mark == 0xfeff ? StandardCharsets.UTF_16BE : StandardCharsets.UTF_8;
    }
}
