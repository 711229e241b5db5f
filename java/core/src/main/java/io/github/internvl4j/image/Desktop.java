package io.github.internvl4j.image;

import io.github.internvl4j.host.LoadFailure;
import io.github.internvl4j.host.Shortage;
import java.io.IOException;

/**
 * The JDK's module for images, which JPEG and WebP need. A runtime made by jlink may lack it, and its classes, with a
 * thread and libraries of their own, are lost if they are first used while the system is short of something.
 */
final class Desktop {
    private static final int THREADS = 2;
    private static final int DESCRIPTORS = 16;

    private static boolean works;

    private Desktop() {}

    /** Throws what keeps the module from being used. */
    static synchronized void require() throws IOException {
        if (works) {
            return;
        }
        if (isMissing()) {
            throw new IOException(missing());
        }
        String shortage = Shortage.of(THREADS, DESCRIPTORS);
        if (shortage != null) {
            throw new IOException(shortage);
        }
    }

    /** It was used, so it need not be looked at again. */
    static synchronized void works() {
        works = true;
    }

    /** Why a class of the module, or of a library that needs it, could not be used. */
    static String reason(Throwable failure) {
        if (failure instanceof IllegalCallerException) {
            return LoadFailure.nativeAccess();
        }
        return isMissing() ? missing() : "a library that is needed for it cannot be used (" + failure + ")";
    }

    private static boolean isMissing() {
        return ModuleLayer.boot().findModule("java.desktop").isEmpty();
    }

    private static String missing() {
        return "this Java runtime has no module java.desktop, which is needed; add it to jlink's --add-modules";
    }
}
