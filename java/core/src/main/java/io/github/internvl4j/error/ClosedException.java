package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** The model, chat or handle was closed before or while it was used. */
public class ClosedException extends InternVLException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public ClosedException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public ClosedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
