package io.github.internvl4j.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** The golden pictures of scripts/goldens/make_image_goldens.py, and the repository's test data. */
final class TestPictures {
    private TestPictures() {}

    static byte[] bytes(String name) throws IOException {
        try (InputStream in = TestPictures.class.getResourceAsStream("/image/" + name)) {
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

    /** The checkpoints, of the repository's folder test-data or the one that IVL_TEST_DATA names, whose pictures were recorded. */
    static List<Path> checkpoints() throws IOException {
        String set = System.getenv("IVL_TEST_DATA");
        try (Stream<Path> folders = Files.list(set == null ? testData() : Path.of(set))) {
            return folders.filter(folder -> Files.exists(folder.resolve("pixel_values.safetensors")))
                    .sorted()
                    .toList();
        }
    }

    /** The folder test-data of the repository. */
    static Path testData() {
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            Path candidate = at.resolve("test-data");
            if (Files.isDirectory(candidate.resolve("hermes-d128"))) {
                return candidate;
            }
        }
        throw new IllegalStateException("no folder above the working directory holds test-data");
    }
}
