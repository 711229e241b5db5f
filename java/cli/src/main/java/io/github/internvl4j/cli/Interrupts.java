package io.github.internvl4j.cli;

import java.util.function.Supplier;
import org.jline.utils.Signals;

/** What Ctrl-C does while an answer is being made. */
final class Interrupts {
    private Interrupts() {}

    /** Runs {@code body}; meanwhile Ctrl-C runs {@code action} instead of ending the program. */
    static <T> T during(Runnable action, Supplier<T> body) {
        Object before = Signals.register("INT", action);
        try {
            return body.get();
        } finally {
            Signals.unregister("INT", before);
        }
    }
}
