package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/**
 * A question of a benchmark.
 *
 * @param id unique within the benchmark
 * @param position of its row in the data set, from 0: some benchmarks are scored by it
 * @param question as it is sent, to the last blank
 * @param picture null if the question has none
 * @param gold the right answer as text; empty if only a server knows it
 * @param row the data set's own fields, for scores and result files
 */
public record Sample(
        String id, int position, String question, @Nullable Picture picture, String gold, ObjectNode row) {
    /** The same with another picture. */
    Sample withPicture(Picture other) {
        return new Sample(id, position, question, other, gold, row);
    }

    /** A field of the row as text; empty if it is missing or null. */
    public String field(String name) {
        return row.path(name).asText("");
    }
}
