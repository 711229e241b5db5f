package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** An option is out of its range; the message names the option, its value and the range. */
public class InvalidOptionException extends InternVLException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public InvalidOptionException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public InvalidOptionException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
