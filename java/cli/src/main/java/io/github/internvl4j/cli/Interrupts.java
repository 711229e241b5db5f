package io.github.internvl4j.cli;

import java.util.Map;
import java.util.TreeMap;
import org.jline.utils.Signals;

/**
 * What Ctrl-C and a request to end do while answers are being made: the answers end, with what there is, and then the program
 * does. A second signal ends it at once.
 */
final class Interrupts implements AutoCloseable {
    /** What a shell adds to a signal's number for the status of the program that it ended. */
    private static final int ENDED_BY_SIGNAL = 128;

    private static final int INT = 2;
    private static final int TERM = 15;
    private static final Map<String, Integer> SIGNALS = Map.of("INT", INT, "TERM", TERM);

    private final Runnable action;
    private final Map<String, Object> before = new TreeMap<>();
    private volatile int status;

    /** @param action ends what is being made; until {@link #close}, it is run instead of ending the program */
    Interrupts(Runnable action) {
        this.action = action;
        SIGNALS.forEach((name, number) -> before.put(name, Signals.register(name, () -> interrupt(number))));
    }

    private void interrupt(int number) {
        if (status != 0) {
            Runtime.getRuntime().halt(status);
        }
        status = ENDED_BY_SIGNAL + number;
        action.run();
    }

    /** The status that the program ends with: 0, or that of a program which the signal ended. */
    int status() {
        return status;
    }

    /** Whether it was Ctrl-C, which at a terminal ends an answer only. */
    boolean byKey() {
        return status == ENDED_BY_SIGNAL + INT;
    }

    @Override
    public void close() {
        before.forEach(Signals::unregister);
    }
}
