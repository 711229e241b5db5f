package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** The memory plan does not fit, or an allocation failed; the model that reports it stays usable. */
public class InsufficientMemoryException extends InternVLException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public InsufficientMemoryException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public InsufficientMemoryException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
