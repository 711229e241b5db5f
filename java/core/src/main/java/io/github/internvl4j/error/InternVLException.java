package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** The base of everything this library throws on purpose. Unchecked: the message says what a caller can do about it. */
public class InternVLException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public InternVLException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public InternVLException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
