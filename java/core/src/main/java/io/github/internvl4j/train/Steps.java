package io.github.internvl4j.train;

import io.github.internvl4j.error.TrainingDataException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which samples each step takes. Micro-batches of all epochs stand in one row, and a step takes the next of them, as in the
 * original: one that begins in an epoch may end in the next, and what is left over at the end of the last is not learnt. Where an epoch has
 * fewer micro-batches than a step takes, it is one step.
 */
final class Steps {
    private final LengthOrder order;
    private final int samples;
    private final int microBatch;
    private final int accumulation;
    private final int epochs;
    private final long seed;

    // Of the epoch that was asked for last.
    private long known = -1;
    private int[] knownOrder = new int[0];

    Steps(int[] lengths, TrainOptions options) {
        if (lengths.length == 0) {
            throw new TrainingDataException("there is no sample to learn from");
        }
        samples = lengths.length;
        microBatch = options.microBatch();
        accumulation = options.accumulation();
        epochs = options.epochs();
        seed = options.seed();
        order = new LengthOrder(lengths, microBatch, accumulation);
    }

    /** Micro-batches of an epoch. */
    private long batches() {
        return (samples + microBatch - 1L) / microBatch;
    }

    /** Of the whole training. */
    long count() {
        return epochs * Math.max(1, batches() / accumulation);
    }

    /** How many epochs are done when this step begins. */
    double epoch(long step) {
        return batches() < accumulation ? step : step * accumulation / (double) batches();
    }

    /** The samples of a step, by micro-batch. */
    List<int[]> of(long step) {
        List<int[]> of = new ArrayList<>();
        long each = Math.min(accumulation, batches());
        for (long batch = step * each; batch < (step + 1) * each; batch++) {
            int[] epoch = order(batch / batches());
            int from = (int) (batch % batches()) * microBatch;
            of.add(Arrays.copyOfRange(epoch, from, Math.min(from + microBatch, samples)));
        }
        return of;
    }

    private int[] order(long epoch) {
        if (known != epoch) {
            known = epoch;
            knownOrder = order.of(seed + epoch);
        }
        return knownOrder;
    }
}
