package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** The hub has no model of that name, or not that revision; or it is private, and the token does not open it. */
public class ModelNotFoundException extends HubException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public ModelNotFoundException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public ModelNotFoundException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
