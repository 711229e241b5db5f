package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** A prompt is longer than the model's context; the message holds both counts. */
public class ContextLengthException extends PromptException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public ContextLengthException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public ContextLengthException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
