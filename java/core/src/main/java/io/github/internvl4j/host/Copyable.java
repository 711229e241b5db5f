package io.github.internvl4j.host;

/**
 * The fields of an immutable value, while a changed copy of it is made: they alone can change, and nobody but the copy ever sees them.
 *
 * @param <T> the class itself
 */
public abstract class Copyable<T extends Copyable<T>> implements Cloneable {
    /** Another one with the same fields. */
    @SuppressWarnings("unchecked") // a clone has the class of what it is one of
    public final T copy() {
        try {
            return (T) super.clone();
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }
}
