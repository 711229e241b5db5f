package io.github.internvl4j.cli;

import io.github.internvl4j.train.TrainStep;
import io.github.internvl4j.train.Trainer;
import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** Tells every few seconds how far a training is, how fast, and how long it takes yet. */
final class TrainProgress {
    private static final long PAUSE = TimeUnit.SECONDS.toNanos(5);

    private final Trainer trainer;
    private final PrintStream err;
    private final long start = System.nanoTime();
    private final long before;
    private long last = start - PAUSE;
    private long tokens;

    TrainProgress(Trainer trainer, PrintStream err) {
        this.trainer = trainer;
        this.err = err;
        before = trainer.done();
    }

    void accept(TrainStep step) {
        tokens += step.tokens();
        long now = System.nanoTime();
        if (now - last < PAUSE && step.number() < trainer.steps()) {
            return;
        }
        last = now;
        double seconds = Math.max(1e-9, (now - start) / 1e9);
        double left = seconds / (step.number() - before) * (trainer.steps() - step.number());
        err.println(String.format(
                Locale.ROOT,
                "step %d of %d: loss %.4f, rate %.2e, %.0f tokens/s, %s left",
                step.number(),
                trainer.steps(),
                step.loss(),
                step.rate(),
                tokens / seconds,
                EvaluateProgress.time(left)));
    }
}
