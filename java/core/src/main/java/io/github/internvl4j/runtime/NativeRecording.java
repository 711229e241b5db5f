package io.github.internvl4j.runtime;

import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_recording;
import io.github.internvl4j.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.javacpp.FloatPointer;
import org.jspecify.annotations.Nullable;

/** Collects the activations of the work it is handed to. */
public final class NativeRecording implements AutoCloseable {
    private final Handle<ivl_recording> handle;

    public NativeRecording() {
        NativeLibrary.load();
        ivl_recording created = new ivl_recording();
        NativeLibrary.check(internvl4j.ivl_recording_create(created));
        handle = new Handle<>("the recording", created, internvl4j::ivl_recording_free);
    }

    /** Copies of what was recorded so far, in the order in which it was computed. */
    public Map<String, Tensor> copy() {
        Map<String, Tensor> activations = new LinkedHashMap<>();
        long count = handle.use(internvl4j::ivl_recording_count);
        for (long i = 0; i < count; i++) {
            long index = i;
            String name = handle.use(pointer -> NativeLibrary.utf8(internvl4j.ivl_recording_name(pointer, index)));
            activations.put(name, copy(index));
        }
        return activations;
    }

    private Tensor copy(long index) {
        long[] shape = new long[3];
        handle.call(pointer -> internvl4j.ivl_recording_shape(pointer, index, shape, shape.length));
        Tensor out = Tensor.allocate(shape);
        try (FloatPointer target = new FloatPointer(out.data())) {
            handle.call(pointer -> internvl4j.ivl_recording_copy(pointer, index, target, out.size()));
        }
        return out;
    }

    /** Gives the body the recording's handle, which stays open meanwhile; null for none. */
    static <T> T with(@Nullable NativeRecording recording, Function<@Nullable ivl_recording, T> body) {
        return recording == null ? body.apply(null) : recording.handle.use(body);
    }

    @Override
    public void close() {
        handle.close();
    }
}
