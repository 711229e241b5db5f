package io.github.internvl4j.cli;

import io.github.internvl4j.error.InvalidOptionException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Texts from files, where damage is an error and not a question mark. */
final class Utf8 {
    private Utf8() {}

    /**
     * @param source what messages call the bytes
     * @throws InvalidOptionException if they are no UTF-8
     */
    static String decode(byte[] bytes, String source) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new InvalidOptionException(source + " is not UTF-8", e);
        }
    }
}
