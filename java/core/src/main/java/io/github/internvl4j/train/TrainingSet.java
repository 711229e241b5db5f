package io.github.internvl4j.train;

import io.github.internvl4j.error.TrainingDataException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;

/** All samples of all sets, in the order of the meta file: which line each is, and how long. Lines that are none are left out. */
final class TrainingSet {
    private final List<DataSet> sets;
    private final List<DataProblem> problems = new ArrayList<>();
    private int[] setOf = new int[1024];
    private int[] lineOf = new int[1024];
    private int[] lengths = new int[1024];
    private int count;
    private int mostImages;

    /** Gives a set's samples their lengths. */
    interface Lengths {
        SampleLengths of(DataSet set);
    }

    /** @throws TrainingDataException if the meta file or a file of lines cannot be read */
    TrainingSet(Path meta, Lengths lengths) {
        sets = MetaFile.read(meta);
        for (int set = 0; set < sets.size(); set++) {
            read(set, lengths.of(sets.get(set)));
        }
    }

    private TrainingSet(TrainingSet other, IntPredicate taken) {
        sets = other.sets;
        for (int sample = 0; sample < other.count; sample++) {
            if (taken.test(sample)) {
                add(other.setOf[sample], other.lineOf[sample], other.lengths[sample]);
            }
        }
        mostImages = other.mostImages;
    }

    private void read(int number, SampleLengths estimate) {
        DataSet set = sets.get(number);
        for (int sample = 0; sample < set.size(); sample++) {
            int index = set.line(sample);
            try {
                Line line = Line.parse(set.lines().read(index));
                mostImages = Math.max(mostImages, line.images().size());
                add(number, index, estimate.next(line));
            } catch (BadSampleException e) {
                if (sample < set.lines().count()) { // once, however often it is repeated
                    problems.add(set.problem(index, e.reason()));
                }
            }
        }
    }

    private void add(int set, int line, int length) {
        if (count == setOf.length) {
            setOf = Arrays.copyOf(setOf, 2 * count);
            lineOf = Arrays.copyOf(lineOf, 2 * count);
            lengths = Arrays.copyOf(lengths, 2 * count);
        }
        setOf[count] = set;
        lineOf[count] = line;
        lengths[count++] = length;
    }

    /** Some of the samples, with the lengths that they have among all. */
    TrainingSet only(IntPredicate taken) {
        return new TrainingSet(this, taken);
    }

    /** Images of the sample that has the most. */
    int mostImages() {
        return mostImages;
    }

    int size() {
        return count;
    }

    /** How long samples are estimated to be. */
    int[] lengths() {
        return Arrays.copyOf(lengths, count);
    }

    /** Lines that are no samples. */
    List<DataProblem> problems() {
        return List.copyOf(problems);
    }

    int setIndex(int sample) {
        return setOf[sample];
    }

    DataSet set(int sample) {
        return sets.get(setOf[sample]);
    }

    int line(int sample) {
        return lineOf[sample];
    }

    Line read(int sample) throws BadSampleException {
        return Line.parse(set(sample).lines().read(line(sample)));
    }

    DataProblem problem(int sample, String reason) {
        return set(sample).problem(line(sample), reason);
    }
}
