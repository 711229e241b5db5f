package io.github.internvl4j.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * An epoch's order, as the original's {@code LengthGroupedSampler} has it: random, cut into steps, and within a step so that its
 * micro-batches have samples of like lengths and about as many tokens each.
 */
final class LengthOrder {
    private final int[] lengths;
    private final int microBatch;
    private final int parts;

    /**
     * @param lengths of all samples
     * @param microBatch samples of a micro-batch
     * @param parts micro-batches of a step
     */
    LengthOrder(int[] lengths, int microBatch, int parts) {
        this.lengths = lengths;
        this.microBatch = microBatch;
        this.parts = parts;
    }

    /** Indices of all samples in the order in which micro-batches take them. */
    int[] of(long seed) {
        int[] random = new MersenneTwister(seed).permutation(lengths.length);
        List<Integer> order = new ArrayList<>(random.length);
        int step = Math.multiplyExact(microBatch, parts);
        for (int from = 0; from < random.length; from += step) {
            List<Integer> samples = new ArrayList<>();
            for (int i = from; i < Math.min(from + step, random.length); i++) {
                samples.add(random[i]);
            }
            // A stable sort: among equals the random order stays.
            samples.sort(Comparator.comparingInt(sample -> -lengths[sample]));
            dealt(samples).forEach(order::addAll);
        }
        return order.stream().mapToInt(Integer::intValue).toArray();
    }

    /** The longest first, each to the part that has the fewest tokens yet; in turn where they do not go into equal parts. */
    private List<List<Integer>> dealt(List<Integer> samples) {
        List<List<Integer>> dealt = new ArrayList<>();
        for (int part = 0; part < parts; part++) {
            dealt.add(new ArrayList<>());
        }
        boolean even = samples.size() % parts == 0;
        long[] tokens = new long[parts];
        for (int i = 0; i < samples.size(); i++) {
            int part = even ? shortest(tokens) : i % parts;
            dealt.get(part).add(samples.get(i));
            boolean full = dealt.get(part).size() == samples.size() / parts;
            tokens[part] = full ? Long.MAX_VALUE : tokens[part] + lengths[samples.get(i)];
        }
        return dealt;
    }

    private static int shortest(long[] tokens) {
        long least = Arrays.stream(tokens).min().orElseThrow();
        int part = 0;
        while (tokens[part] != least) {
            part++;
        }
        return part;
    }
}
