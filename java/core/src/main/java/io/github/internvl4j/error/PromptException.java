package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** A prompt cannot be built: image count and image placeholders differ, special tokens where none may stand, an empty question. */
public class PromptException extends InternVLException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public PromptException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public PromptException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
