package io.github.internvl4j.runtime;

import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_cancellation;
import java.util.function.Function;

/** A flag that running native work looks at between layers. */
public final class NativeCancellation implements AutoCloseable {
    private final Handle<ivl_cancellation> handle;

    public NativeCancellation() {
        NativeLibrary.load();
        ivl_cancellation created = new ivl_cancellation();
        NativeLibrary.check(internvl4j.ivl_cancellation_create(created));
        handle = new Handle<>("the cancellation", created, internvl4j::ivl_cancellation_free);
    }

    /** From any thread. Does nothing once closed. */
    public void cancel() {
        handle.useIfOpen(internvl4j::ivl_cancel);
    }

    <T> T use(Function<? super ivl_cancellation, T> body) {
        return handle.use(body);
    }

    @Override
    public void close() {
        handle.close();
    }
}
