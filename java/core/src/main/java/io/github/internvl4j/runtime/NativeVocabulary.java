package io.github.internvl4j.runtime;

import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_vocabulary;
import java.io.ByteArrayOutputStream;
import java.util.function.Function;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.LongPointer;

/** A tokenizer's tokens as bytes, in the runtime's memory. */
final class NativeVocabulary implements AutoCloseable {
    private final Handle<ivl_vocabulary> handle;

    /** @param tokens of each row of the model; empty for what is never part of a guided answer */
    NativeVocabulary(byte[][] tokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        long[] ends = new long[tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            bytes.writeBytes(tokens[i]);
            ends[i] = bytes.size();
        }
        bytes.write(0); // an empty array has no address
        ivl_vocabulary out = new ivl_vocabulary();
        try (BytePointer data = new BytePointer(bytes.toByteArray());
                LongPointer places = new LongPointer(ends)) {
            NativeLibrary.check(internvl4j.ivl_vocabulary_create(data, places, tokens.length, out));
        }
        handle = new Handle<>("the model's vocabulary", out, internvl4j::ivl_vocabulary_free);
    }

    <T> T use(Function<? super ivl_vocabulary, T> body) {
        return handle.use(body);
    }

    @Override
    public void close() {
        handle.close();
    }
}
