package io.github.internvl4j;

import io.github.internvl4j.tensor.Safetensors;
import io.github.internvl4j.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The small checkpoints of test-data. Each comes with what the original model makes of it, whole or as
 * scripts/goldens/trim_oracle.py leaves it.
 */
public final class TestData {
    private TestData() {}

    /**
     * The folder that the environment's IVL_TEST_DATA or else the system property internvl4j.testData names (Maven's
     * {@code -Dtest.data=DIR}), or test-data at the repository's root.
     */
    public static Path root() {
        String set = System.getenv().getOrDefault("IVL_TEST_DATA", System.getProperty("internvl4j.testData", ""));
        if (!set.isEmpty()) {
            return Path.of(set);
        }
        return repository().resolve("test-data");
    }

    /** The repository's root. */
    public static Path repository() {
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            if (Files.isDirectory(at.resolve("test-data"))) {
                return at;
            }
        }
        throw new IllegalStateException("no folder test-data at or above the working directory");
    }

    /** Every checkpoint that comes with what the original does, by name. */
    public static List<Path> checkpoints() {
        try (Stream<Path> folders = Files.list(root())) {
            return folders.filter(folder -> Files.exists(folder.resolve("expected.json")))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The original's values (tiles, 3, S, S) of a checkpoint's images, by file name. */
    public static Map<String, Tensor> pixelValues(Path checkpoint) {
        Map<String, Tensor> images =
                new LinkedHashMap<>(Safetensors.read(checkpoint.resolve("pixel_values.safetensors")));
        Tensor levels = images.remove("levels");
        if (levels != null) {
            images.replaceAll((name, bytes) -> valuesOf(bytes, levels));
        }
        return images;
    }

    /** Bytes (tiles, 3, S, S), each of which stands for one of its channel's levels (3, 256). */
    private static Tensor valuesOf(Tensor bytes, Tensor levels) {
        float[] values = bytes.toArray();
        int plane = Math.toIntExact(bytes.size(2) * bytes.size(3));
        float[] known = levels.toArray();
        Tensor result = Tensor.allocate(bytes.shape());
        for (int i = 0; i < values.length; i++) {
            result.data().put(i, known[i / plane % 3 * 256 + (int) values[i]]);
        }
        return result;
    }

    /** Of an activation as it was computed, the rows that the record holds: all of them, or those that trimming has left. */
    public static Tensor sameRows(Tensor computed, Tensor recorded) {
        int columns = Math.toIntExact(recorded.size(recorded.rank() - 1));
        int kept = Math.toIntExact(recorded.size() / columns);
        int rows = Math.toIntExact(computed.size() / columns);
        float[] values = computed.toArray();
        Tensor result = Tensor.allocate(recorded.shape());
        for (int i = 0; i < kept; i++) {
            int row = i * (rows - 1) / Math.max(kept - 1, 1);
            result.data().put(i * columns, values, row * columns, columns);
        }
        return result;
    }
}
