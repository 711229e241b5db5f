package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** A checkpoint cannot be got from a hub: no connection, an answer that is none, wrong bytes; the message names address or file. */
public class HubException extends InternVLException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public HubException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public HubException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
