package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** A file of the checkpoint is missing, truncated or malformed; the message names the file and the tensor or field. */
public class CheckpointException extends InternVLException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public CheckpointException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public CheckpointException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
