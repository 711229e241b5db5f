package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** The disk of the cache has no room for what would be downloaded; nothing was written. */
public class InsufficientDiskSpaceException extends HubException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public InsufficientDiskSpaceException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public InsufficientDiskSpaceException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
