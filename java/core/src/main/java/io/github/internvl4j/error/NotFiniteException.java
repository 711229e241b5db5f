package io.github.internvl4j.error;

/**
 * The model computed NaN or infinity instead of an answer: its weights hold such values, or something grew beyond the range of the
 * precision. {@code InternVL.check(directory, true)} and {@code info --check} name the damaged tensors.
 */
public class NotFiniteException extends InternVLException {
    private static final long serialVersionUID = 1L;

    /** @param message what was computed, and where to look */
    public NotFiniteException(String message) {
        super(message);
    }
}
