package io.github.internvl4j.error;

import org.jspecify.annotations.Nullable;

/** The native library cannot be loaded, or reported a fault of its own. */
public class NativeLibraryException extends InternVLException {
    private static final long serialVersionUID = 1L;

    /** @param message what is wrong, where, and what was expected */
    public NativeLibraryException(String message) {
        super(message);
    }

    /**
     * @param message what is wrong, where, and what was expected
     * @param cause the underlying failure, or null
     */
    public NativeLibraryException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
