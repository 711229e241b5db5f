package io.github.internvl4j.train;

import io.github.internvl4j.error.TrainingDataException;
import java.nio.file.Path;
import java.util.OptionalInt;

/**
 * A set of the meta file.
 *
 * @param name of the set
 * @param root where its images are
 * @param lines its annotation
 * @param repeat how often its lines are taken; below 1 the first share of them
 * @param maxTiles tiles of an image at most, where the set says so
 */
record DataSet(String name, Path root, LineFile lines, double repeat, OptionalInt maxTiles) {
    /** How many samples it gives. */
    int size() {
        long size = repeat < 1 ? (long) (lines.count() * repeat) : lines.count() * (long) repeat;
        if (size > Integer.MAX_VALUE) {
            throw new TrainingDataException("the set \"" + name + "\" has " + size + " samples, expected at most "
                    + Integer.MAX_VALUE + ": a smaller repeat_time");
        }
        return (int) size;
    }

    /** The line that a sample is. */
    int line(int sample) {
        return sample % lines.count();
    }

    DataProblem problem(int line, String reason) {
        return new DataProblem(lines.path(), lines.number(line), reason);
    }
}
