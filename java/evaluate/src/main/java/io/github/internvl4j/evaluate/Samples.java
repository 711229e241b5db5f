package io.github.internvl4j.evaluate;

import java.util.List;

/**
 * What a data set holds.
 *
 * @param samples in the data set's order
 * @param problems rows and files that could not be read, one line each: file, row, field, what was expected
 */
public record Samples(List<Sample> samples, List<String> problems) {
    /** Copies. */
    public Samples {
        samples = List.copyOf(samples);
        problems = List.copyOf(problems);
    }
}
