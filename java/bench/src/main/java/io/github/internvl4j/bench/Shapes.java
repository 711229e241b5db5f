package io.github.internvl4j.bench;

import io.github.internvl4j.Device;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.Precision;
import io.github.internvl4j.runtime.NativeModel;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;

/** Models of the shapes in resources/shapes, with random weights. */
public final class Shapes {
    private static final long SEED = 1;

    private Shapes() {}

    /** The shape's config.json, as a checkpoint would have it. */
    public static InputStream config(String shape) {
        return Objects.requireNonNull(Shapes.class.getResourceAsStream("/shapes/" + shape + ".json"), shape);
    }

    /** @param options how it is kept and where; its weights are the same in every JVM */
    public static NativeModel load(String shape, LoadOptions options) {
        try {
            Path config = Files.createTempFile(shape, ".json");
            try (InputStream in = config(shape)) {
                Files.copy(in, config, StandardCopyOption.REPLACE_EXISTING);
                return NativeModel.loadRandom(config, options, SEED);
            } finally {
                Files.delete(config);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static NativeModel load(String shape, Precision precision, int threads, String device) {
        return load(
                shape,
                LoadOptions.defaults().precision(precision).threads(threads).device(new Device(device)));
    }
}
