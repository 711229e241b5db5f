package io.github.internvl4j.server.openai;

import io.github.internvl4j.error.PromptException;
import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** A field of a request that is not what it must be; who answers in OpenAI's form names it apart from the message, too. */
public class FieldException extends PromptException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final String field;

    /**
     * That a field is not what it must be.
     *
     * @param field its path, as {@code messages[2].content}
     * @param message what is wrong, where, and what was expected
     */
    public FieldException(String field, String message) {
        this(field, message, null);
    }

    /**
     * The same with what was thrown before.
     *
     * @param field its path, as {@code messages[2].content}
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public FieldException(String field, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.field = field;
    }

    /** Its path. */
    public String field() {
        return field;
    }
}
