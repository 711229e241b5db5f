package io.github.internvl4j.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** The golden images of scripts/goldens/make_image_goldens.py. */
final class TestImages {
    private TestImages() {}

    static byte[] bytes(String name) throws IOException {
        try (InputStream in = TestImages.class.getResourceAsStream("/image/" + name)) {
            if (in == null) {
                throw new IOException("the test resource image/" + name + " is missing");
            }
            return in.readAllBytes();
        }
    }

    /** The lines of a table, split at tabs. */
    static List<String[]> table(String name) throws IOException {
        return new String(bytes(name), StandardCharsets.UTF_8)
                .lines()
                .map(line -> line.split("\t"))
                .toList();
    }

    static String sha256(Image image) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(image.rgb()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
