package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** An image cannot be read or is not usable; the message names the file or source. */
public class ImageException extends InternVLException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public ImageException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public ImageException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
