package io.github.internvl4j.hub;

import io.github.internvl4j.error.HubException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** How often, and after what waits, something is tried again. */
final class Retries {
    private static final Duration FIRST = Duration.ofMillis(500);
    private static final Duration LONGEST = Duration.ofSeconds(30);
    /** Of what a hub may ask for: its own window for counting requests is five minutes. */
    private static final Duration MOST_ASKED = Duration.ofSeconds(330);

    /** A failure that may pass by itself. */
    static final class Passing extends IOException {
        private static final long serialVersionUID = 1L;
        private final transient @Nullable Duration wait;

        /** @param wait what the hub asked for, or null */
        Passing(String message, @Nullable Duration wait) {
            super(message);
            this.wait = wait;
        }
    }

    /** Sleeps; another one in tests. */
    interface Pause {
        void of(Duration time) throws InterruptedException;
    }

    private final String what;
    private final int most;
    private final Pause pause;
    private final Consumer<String> notes;
    private int failures;

    /** @param what is tried, for messages */
    Retries(String what, int most, Pause pause, Consumer<String> notes) {
        this.what = what;
        this.most = most;
        this.pause = pause;
        this.notes = notes;
    }

    /** Bytes came: the next failure is the first again. */
    void succeeded() {
        failures = 0;
    }

    /**
     * Waits before the next try.
     *
     * @throws HubException if this was the last one
     */
    void failed(IOException failure) throws InterruptedException {
        failures++;
        String why = what + ": " + reason(failure);
        if (failures > most) {
            throw new HubException(why + (most > 0 ? "; given up after " + failures + " tries" : ""), failure);
        }
        Duration wait = failure instanceof Passing passing && passing.wait != null ? asked(why, passing) : backOff();
        notes.accept(why + "; again in " + Math.max(1, wait.toSeconds()) + " s");
        pause.of(wait);
    }

    private static Duration asked(String why, Passing failure) {
        Duration wait = failure.wait == null ? Duration.ZERO : failure.wait;
        if (wait.compareTo(MOST_ASKED) > 0) {
            throw new HubException(
                    why + "; it asks to come back in " + wait.toSeconds() + " s, which is too long to wait for here",
                    failure);
        }
        return wait;
    }

    /** Doubles, and is never the same for many who were cut off together. */
    private Duration backOff() {
        long millis = FIRST.toMillis() << Math.min(failures - 1, 10);
        long bounded = Math.min(millis, LONGEST.toMillis());
        return Duration.ofMillis(bounded / 2 + ThreadLocalRandom.current().nextLong(bounded / 2 + 1));
    }

    private static String reason(IOException failure) {
        String message = failure.getMessage();
        String type = failure.getClass().getSimpleName();
        if (failure instanceof Passing && message != null) {
            return message;
        }
        return message == null || message.isEmpty() ? type : type + ": " + Shown.text(message);
    }
}
