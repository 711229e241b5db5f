package io.github.internvl4j.evaluate;

import java.util.List;
import java.util.Objects;

/** Means. */
final class Percent {
    private Percent() {}

    /** 100 times the mean score; 0 of none. */
    static double mean(List<Verdict> verdicts) {
        return 100
                * verdicts.stream()
                        .mapToDouble(verdict -> Objects.requireNonNullElse(verdict.score(), 0.0))
                        .average()
                        .orElse(0);
    }

    /** 100 times the share. */
    static double of(long part, long whole) {
        return whole == 0 ? 0 : 100.0 * part / whole;
    }
}
