package io.github.internvl4j.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;

/**
 * The process' standard input. Where it was closed before the program began, as service managers do, its number goes to the next
 * file that is opened, which is one of Java's own: nobody typed what is in there.
 */
final class StandardInput {
    private static final Path DESCRIPTOR = Path.of("/proc/self/fd/0");

    private StandardInput() {}

    /** What was typed or piped in; nothing if standard input was closed. */
    static InputStream stream() {
        return isJavas() ? InputStream.nullInputStream() : System.in;
    }

    private static boolean isJavas() {
        try {
            Path file = DESCRIPTOR.toRealPath();
            return file.startsWith(Path.of(System.getProperty("java.home")).toRealPath())
                    || file.toString().endsWith(".jar");
        } catch (IOException e) {
            return false; // a pipe, or another system
        }
    }
}
