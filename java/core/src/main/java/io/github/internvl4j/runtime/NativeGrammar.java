package io.github.internvl4j.runtime;

import io.github.internvl4j.error.SchemaException;
import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_grammar;
import io.github.internvl4j.internal.ivl_text;
import java.util.function.Function;
import org.bytedeco.javacpp.BytePointer;
import org.jspecify.annotations.Nullable;

/** A JSON schema, compiled for a model's vocabulary. A request that was submitted with it needs it no more. */
public final class NativeGrammar implements AutoCloseable {
    private final Handle<ivl_grammar> handle;

    /** @throws SchemaException if it cannot be used */
    NativeGrammar(NativeVocabulary vocabulary, String schema) {
        ivl_grammar out = new ivl_grammar();
        ivl_text place = new ivl_text();
        try (BytePointer text = NativeLibrary.utf8(schema)) {
            int status = vocabulary.use(tokens -> internvl4j.ivl_grammar_create(tokens, text, place, out));
            if (!place.isNull()) {
                throw refused(place);
            }
            NativeLibrary.check(status);
        }
        handle = new Handle<>("the grammar", out, internvl4j::ivl_grammar_free);
    }

    private static SchemaException refused(ivl_text place) {
        try {
            return new SchemaException(
                    NativeLibrary.utf8(internvl4j.ivl_last_error()),
                    NativeLibrary.utf8(internvl4j.ivl_text_data(place)));
        } finally {
            internvl4j.ivl_text_free(place);
        }
    }

    /** Runs the body with the handle, or with null if there is no grammar. */
    static <T> T with(@Nullable NativeGrammar grammar, Function<@Nullable ivl_grammar, T> body) {
        return grammar == null ? body.apply(null) : grammar.handle.use(body);
    }

    @Override
    public void close() {
        handle.close();
    }
}
