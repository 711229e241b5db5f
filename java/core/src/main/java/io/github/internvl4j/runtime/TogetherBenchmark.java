package io.github.internvl4j.runtime;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

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
        double[] speeds = new double[runs];
        double[] ratios = new double[runs];
        for (int run = -1; run < runs; run++) {
            double together = seconds(prompts);
            double alone = seconds(prompts.subList(0, 1));
            int at = Math.max(0, run);
            speeds[at] = prompts.size() * newTokens / together;
            ratios[at] = prompts.size() * alone / together;
        }
        return new Result(median(speeds), median(ratios));
    }

    /** From the moment in which each has its first token. The prompts themselves only the first run has to compute. */
    private double seconds(List<int[]> prompts) {
        BlockingQueue<RequestEvent> events = new LinkedBlockingQueue<>();
        prompts.forEach(prompt -> model.submit(NativeRequest.ofText(prompt, newTokens + 1, ""), events::add));
        int running = prompts.size();
        Set<Long> begun = new HashSet<>();
        long started = 0;
        int before = 0;
        int tokens = 0;
        while (running > 0) {
            RequestEvent event = RequestEvent.next(events);
            tokens++;
            if (begun.add(event.request()) && begun.size() == prompts.size()) {
                started = System.nanoTime();
                before = tokens;
            }
            running -= event.last() ? 1 : 0;
        }
        int timed = tokens - before;
        return (System.nanoTime() - started) / 1e9 / timed * prompts.size() * newTokens;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
