package io.github.internvl4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.error.InternVLException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * What tells a batch's requests apart, from one run to the next.
 *
 * @param line where the request is
 * @param text a digest of its line
 * @param id its own {@code id}; null if it has none
 * @param customId the same in OpenAI's form
 */
record RequestKey(
        long line,
        String text,
        @Nullable JsonNode id,
        @Nullable JsonNode customId) {
    private static final int DIGEST_BYTES = 8;

    static RequestKey of(JsonLines.Line line) {
        String text = digest(line.bytes());
        try {
            JsonNode request = BatchLine.parse(line.bytes());
            return new RequestKey(line.number(), text, request.get("id"), request.get("custom_id"));
        } catch (InternVLException e) {
            return new RequestKey(line.number(), text, null, null); // its failure is told when its turn comes
        }
    }

    static String digest(byte[] line) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(line);
            return HexFormat.of().formatHex(digest, 0, DIGEST_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }
}
