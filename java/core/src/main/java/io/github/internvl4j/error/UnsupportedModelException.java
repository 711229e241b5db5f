package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** The checkpoint is well formed but of an architecture or a setting this library does not implement; the message names it. */
public class UnsupportedModelException extends InternVLException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public UnsupportedModelException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public UnsupportedModelException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
