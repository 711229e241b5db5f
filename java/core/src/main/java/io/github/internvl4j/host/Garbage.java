package io.github.internvl4j.host;

import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/** Gives back what was forgotten to be closed, on a thread of its own. */
public final class Garbage {
    private static @Nullable Cleaner cleaner;

    private Garbage() {}

    /**
     * The one cleaner. Not made by a static initializer: without a thread for it that class could never be used.
     *
     * @throws OutOfMemoryError if no thread can be started; the next call tries again
     */
    public static synchronized Cleaner cleaner() {
        Cleaner made = cleaner;
        if (made == null) {
            made = Cleaner.create();
            cleaner = made;
        }
        return made;
    }
}
