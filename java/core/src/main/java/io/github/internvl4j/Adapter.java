package io.github.internvl4j;

import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.runtime.NativeAdapter;
import java.nio.file.Path;

/**
 * A LoRA adapter of a loaded model, as {@link InternVL#loadAdapter} gives it: what somebody fine-tuned the model to, beside its weights,
 * which stay as they are. Requests choose adapters ({@link GenerationConfig#adapters}), each its own, and are still answered together;
 * one without any has the answer that it has of a model without adapters, bit for bit.
 *
 * <p>Closing frees it; requests that run keep it until they end. Thread-safe.
 */
public final class Adapter implements AutoCloseable {
    private final NativeAdapter adapter;
    private final Path directory;

    Adapter(NativeAdapter adapter, Path directory) {
        this.adapter = adapter;
        this.directory = directory;
    }

    /** The folder that it was loaded from, which it needs no more. */
    public Path directory() {
        return directory;
    }

    /** Its size in memory, in bytes. */
    public long bytes() {
        return adapter.bytes();
    }

    /**
     * Whether it changes the vision tower or the projector, and with them what images look like. Images then are encoded for it; a chat in
     * which there are such images keeps to the adapters that they were asked about with.
     */
    public boolean seesImages() {
        return adapter.seesImages();
    }

    NativeAdapter handle() {
        return adapter;
    }

    /** New requests with it throw {@link ClosedException} from now on. Idempotent, from any thread. */
    @Override
    public void close() {
        adapter.close();
    }

    @Override
    public String toString() {
        return "Adapter[" + directory + "]";
    }
}
