package io.github.internvl4j.runtime;

import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_sequence;
import java.util.function.Function;

/** A conversation's KV cache. A prompt that begins like what it holds computes only the rest. */
public final class NativeSequence implements AutoCloseable {
    private final Handle<ivl_sequence> handle;

    NativeSequence(ivl_sequence pointer) {
        handle = new Handle<>("the chat", pointer, internvl4j::ivl_sequence_free);
    }

    /** Tokens in the cache. */
    public long length() {
        return handle.use(internvl4j::ivl_sequence_length);
    }

    <T> T use(Function<? super ivl_sequence, T> body) {
        return handle.use(body);
    }

    @Override
    public void close() {
        handle.close();
    }
}
