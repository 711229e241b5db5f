package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/**
 * What a training is to learn from cannot be used as a whole; the message names the file, the set and the field. A single sample that
 * cannot be used is none: it is counted and named, and the rest goes on.
 */
public class TrainingDataException extends InternVLException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public TrainingDataException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public TrainingDataException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
