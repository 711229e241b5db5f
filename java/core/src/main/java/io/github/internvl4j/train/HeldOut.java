package io.github.internvl4j.train;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** Which lines of the data are held out: so many as the share comes to, drawn with the seed, each with all its repetitions. */
final class HeldOut {
    private final TrainingSet all;
    private final Set<List<Integer>> lines = new HashSet<>();

    HeldOut(TrainingSet all, double share, long seed) {
        this.all = all;
        List<List<Integer>> known = distinct();
        int count = (int) (known.size() * share);
        int[] order = new MersenneTwister(seed).permutation(known.size());
        for (int i = 0; i < count; i++) {
            lines.add(known.get(order[i]));
        }
    }

    private List<List<Integer>> distinct() {
        return IntStream.range(0, all.size()).mapToObj(this::key).distinct().toList();
    }

    private List<Integer> key(int sample) {
        return List.of(all.setIndex(sample), all.line(sample));
    }

    /** What is learnt. */
    TrainingSet rest() {
        return all.only(sample -> !lines.contains(key(sample)));
    }

    /** What is not, each line once. */
    TrainingSet heldOut() {
        Set<List<Integer>> met = new HashSet<>();
        return all.only(sample -> lines.contains(key(sample)) && met.add(key(sample)));
    }
}
