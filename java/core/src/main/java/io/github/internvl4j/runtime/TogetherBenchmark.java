package io.github.internvl4j.runtime;

import io.github.internvl4j.GenerationConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Times sequences that are decoded together, and one of them alone, by turns: what slows the machine for a while slows both. */
public final class TogetherBenchmark {
    /**
     * Medians of the runs.
     *
     * @param tokensPerSecond of all sequences together
     * @param overOne how many times those of one alone, in the same run
     */
    public record Result(double tokensPerSecond, double overOne) {}

    private static final long SEED = 1;

    private final NativeModel model;
    private final List<int[]> prompts = new ArrayList<>();
    private final int newTokens;

    /**
     * @param sequences decoded together
     * @param past tokens behind which each is decoded
     * @param newTokens decoded in a run, of each sequence
     */
    public TogetherBenchmark(NativeModel model, int sequences, int past, int newTokens) {
        this.model = model;
        this.newTokens = newTokens;
        Random random = new Random(SEED);
        for (int i = 0; i < sequences; i++) {
            prompts.add(random.ints(past, 0, model.info().vocabularySize()).toArray());
        }
    }

    /** One run to warm up, then this many; the medians count. */
    public Result run(int runs) {
        List<NativeSequence> sequences = new ArrayList<>();
        try {
            // They keep their prompts, which only the first run has to compute.
            prompts.forEach(prompt -> sequences.add(model.newSequence()));
            double[] speeds = new double[runs];
            double[] ratios = new double[runs];
            for (int run = -1; run < runs; run++) {
                double together = seconds(sequences);
                double alone = seconds(sequences.subList(0, 1));
                int at = Math.max(0, run);
                speeds[at] = sequences.size() * newTokens / together;
                ratios[at] = sequences.size() * alone / together;
            }
            return new Result(median(speeds), median(ratios));
        } finally {
            sequences.forEach(NativeSequence::close);
        }
    }

    private double seconds(List<NativeSequence> sequences) {
        try (NativeGeneration generation = model.newGeneration(null)) {
            for (int i = 0; i < sequences.size(); i++) {
                generation.add(
                        new NativeGeneration.Request(prompts.get(i), -1, List.of(), new int[0]),
                        GenerationConfig.greedy(newTokens + 1),
                        sequences.get(i),
                        null);
            }
            generation.step();
            long started = System.nanoTime();
            while (!generation.step().isEmpty()) {
                // until each has its tokens
            }
            return (System.nanoTime() - started) / 1e9;
        }
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
