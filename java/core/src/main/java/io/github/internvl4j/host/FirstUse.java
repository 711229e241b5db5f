package io.github.internvl4j.host;

import io.github.internvl4j.error.NativeLibraryException;
import org.jspecify.annotations.Nullable;

/**
 * Looks, once, whether files can be opened before the jars that the library needs are. A class loader that cannot open a jar
 * forgets it for good, and with it every class in it.
 */
public final class FirstUse {
    private static final int DESCRIPTORS = 64;

    /** No jar has it, so that all are opened to look. */
    private static final String NOWHERE = "/io/github/internvl4j/no-such-file";

    private static boolean passed;

    private FirstUse() {}

    /** What is short, or null. */
    public static synchronized @Nullable String shortage() {
        if (passed) {
            return null;
        }
        String shortage = Shortage.of(0, DESCRIPTORS);
        if (shortage == null) {
            passed = FirstUse.class.getResource(NOWHERE) == null;
        }
        return shortage;
    }

    /** @throws NativeLibraryException with what is short; the next call looks again */
    public static void require() {
        String shortage = shortage();
        if (shortage != null) {
            throw new NativeLibraryException("the library cannot be used now: " + shortage);
        }
    }
}
