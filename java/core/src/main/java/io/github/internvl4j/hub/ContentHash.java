package io.github.internvl4j.hub;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The hash that a file's content is named by: SHA-256, or Git's SHA-1 over a header and the content. */
final class ContentHash {
    private final String algorithm;
    private final MessageDigest digest;
    private long count;

    ContentHash(RemoteFile file) {
        algorithm = file.sha256() != null ? "SHA-256" : "SHA-1";
        try {
            digest = MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has both
        }
        if (file.sha256() == null) {
            digest.update(("blob " + file.size() + "\0").getBytes(StandardCharsets.US_ASCII));
        }
    }

    /** What remains in the buffer, which is at its end then. */
    void add(ByteBuffer bytes) {
        count += bytes.remaining();
        digest.update(bytes);
    }

    /** Bytes of the content so far. */
    long count() {
        return count;
    }

    /** Ends the hash. */
    String value() {
        return HexFormat.of().formatHex(digest.digest());
    }

    String algorithm() {
        return algorithm;
    }
}
