package io.github.internvl4j.cli;

import java.io.IOException;
import org.jline.terminal.spi.SystemStream;
import org.jline.terminal.spi.TerminalProvider;

/**
 * Which of the process' streams are a person's terminal. {@code System.console()} is no answer: it asks for all of them
 * together, and in some JDKs it is there without any.
 */
final class Terminals {
    private static final int USUAL_WIDTH = 80;

    private Terminals() {}

    static boolean isInput() {
        return is(SystemStream.Input);
    }

    static boolean isError() {
        return is(SystemStream.Error);
    }

    /** Columns of the terminal behind standard error. */
    static int errorWidth() {
        try {
            int width = provider().systemStreamWidth(SystemStream.Error);
            return width > 0 ? width : USUAL_WIDTH;
        } catch (IOException | RuntimeException | LinkageError e) {
            return USUAL_WIDTH;
        }
    }

    private static boolean is(SystemStream stream) {
        try {
            return provider().isSystemStream(stream);
        } catch (IOException | RuntimeException | LinkageError e) {
            return false; // where nobody can tell, output is plain
        }
    }

    private static TerminalProvider provider() throws IOException {
        return TerminalProvider.load("jni");
    }
}
