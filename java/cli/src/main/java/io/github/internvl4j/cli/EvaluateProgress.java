package io.github.internvl4j.cli;

import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;

/** Tells every few seconds how far a benchmark is, how fast, and how long it takes yet. */
final class EvaluateProgress implements IntConsumer {
    private static final long PAUSE = TimeUnit.SECONDS.toNanos(5);

    private final String benchmark;
    private final PrintStream err;
    private final long start = System.nanoTime();
    private long last = start;
    private int total = -1;

    EvaluateProgress(String benchmark, PrintStream err) {
        this.benchmark = benchmark;
        this.err = err;
    }

    /** @param left samples that are still to be asked; first all of them */
    @Override
    public void accept(int left) {
        if (total < 0) {
            total = left;
            err.println(benchmark + ": " + left + " to ask");
            return;
        }
        long now = System.nanoTime();
        if (left == 0 || now - last >= PAUSE) {
            last = now;
            double rate = (total - left) / Math.max(1e-9, (now - start) / 1e9);
            err.println(String.format(
                    Locale.ROOT,
                    "%s: %d of %d, %.2f a second, %s left",
                    benchmark,
                    total - left,
                    total,
                    rate,
                    time(left / rate)));
        }
    }

    /** Hours, minutes and seconds. */
    static String time(double seconds) {
        long whole = Math.round(seconds);
        return String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
    }
}
