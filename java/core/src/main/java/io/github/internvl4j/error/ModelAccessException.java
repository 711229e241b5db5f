package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** The hub has the model and does not give it: its terms are to be accepted first, or the token is missing or wrong. */
public class ModelAccessException extends HubException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public ModelAccessException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public ModelAccessException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
