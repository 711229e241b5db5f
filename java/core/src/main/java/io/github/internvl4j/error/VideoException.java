package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** A video cannot be opened, decoded or sampled; the message names the file. */
public class VideoException extends InternVLException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public VideoException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public VideoException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
