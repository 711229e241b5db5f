package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** A chat was used by two threads at once. */
public class BusyException extends InternVLException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public BusyException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public BusyException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
