package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What changes the fingerprint, and what does not. */
class FingerprintTest {
    private static final Path DEMO = TestData.root().resolve("demo");
    private static final LoadOptions OPTIONS =
            LoadOptions.defaults().device(Device.CPU).threads(1);

    @TempDir
    Path copy;

    private static String of(Path directory, LoadOptions options) {
        try (InternVL model = InternVL.load(directory, options)) {
            return model.fingerprint();
        }
    }

    @Test
    void isOfWhatAnswersDependOn() throws IOException {
        String own = of(DEMO, OPTIONS);
        assertTrue(own.matches("fp_[0-9a-f]{8}"), own);
        assertEquals(own, of(DEMO, OPTIONS.threads(2).maxBatch(3).mapWeights(false)));
        assertNotEquals(own, of(DEMO, OPTIONS.precision(Precision.INT8)));
        try (Stream<Path> files = Files.list(DEMO)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        assertEquals(own, of(copy, OPTIONS), "wherever the checkpoint is");
        try (RandomAccessFile weights =
                new RandomAccessFile(copy.resolve("model.safetensors").toFile(), "rw")) {
            weights.seek(weights.length() - 2); // the lower byte of a number in 16 bits
            int last = weights.read();
            weights.seek(weights.length() - 2);
            weights.write(last ^ 1);
        }
        assertNotEquals(own, of(copy, OPTIONS));
    }
}
