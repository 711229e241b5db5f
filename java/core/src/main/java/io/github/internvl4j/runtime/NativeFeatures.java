package io.github.internvl4j.runtime;

import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_features;
import io.github.internvl4j.tensor.Tensor;
import java.util.function.Function;
import org.bytedeco.javacpp.FloatPointer;

/** What the decoder sees of some images, in the runtime's memory: (rows, width). */
public final class NativeFeatures implements AutoCloseable {
    private final Handle<ivl_features> handle;
    private final long rows;
    private final int width;

    NativeFeatures(ivl_features pointer, int width) {
        this.rows = internvl4j.ivl_features_rows(pointer);
        this.width = width;
        this.handle = new Handle<>("the image's features", pointer, internvl4j::ivl_features_free);
    }

    /** The rows that the images take in the decoder. */
    public long rows() {
        return rows;
    }

    /** A copy: (rows, width). */
    public Tensor copy() {
        Tensor out = Tensor.allocate(rows, width);
        try (FloatPointer target = new FloatPointer(out.data())) {
            handle.call(pointer -> internvl4j.ivl_features_copy(pointer, target, out.size()));
        }
        return out;
    }

    <T> T use(Function<? super ivl_features, T> body) {
        return handle.use(body);
    }

    @Override
    public void close() {
        handle.close();
    }
}
