package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** A name is not in the cache, or only a part of its files; the message says which command would bring it. */
public class NotCachedException extends HubException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public NotCachedException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public NotCachedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
