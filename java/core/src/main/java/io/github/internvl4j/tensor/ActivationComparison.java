package io.github.internvl4j.tensor;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.Members;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The activations of two runs side by side, in the order the model computes them, so that a deviation can be traced to
 * the layer where it begins.
 */
public final class ActivationComparison {
    /** What came of comparing one name. */
    public enum Status {
        /** Both sides have it with the same shape; there is an error to read. */
        COMPARED,
        /** Only the reference has it. */
        MISSING,
        /** Only the actual side has it. */
        UNEXPECTED,
        /** Both sides have it, with shapes that differ in more than leading sizes of 1. */
        SHAPE_MISMATCH
    }

    /** One name. */
    public static final class Entry {
        private final String name;
        private final Status status;
        private final List<Long> actualShape;
        private final List<Long> referenceShape;
        private final double relativeError;
        private final double maxDifference;
        private final double growth;
        private final boolean withinTolerance;

        Entry(
                String name,
                Status status,
                List<Long> actualShape,
                List<Long> referenceShape,
                double relativeError,
                double maxDifference,
                double growth,
                boolean withinTolerance) {
            this.name = name;
            this.status = status;
            this.actualShape = actualShape;
            this.referenceShape = referenceShape;
            this.relativeError = relativeError;
            this.maxDifference = maxDifference;
            this.growth = growth;
            this.withinTolerance = withinTolerance;
        }

        /** Without the prefix. */
        public String name() {
            return name;
        }

        /** What came of it. */
        public Status status() {
            return status;
        }

        /** The actual side's sizes, empty if {@link Status#MISSING}. */
        public List<Long> actualShape() {
            return actualShape;
        }

        /** The reference's sizes, empty if {@link Status#UNEXPECTED}. */
        public List<Long> referenceShape() {
            return referenceShape;
        }

        /**
         * Norm of the difference over norm of the reference; NaN unless {@link Status#COMPARED}, and also if either side holds a
         * NaN.
         */
        public double relativeError() {
            return relativeError;
        }

        /** The largest absolute difference of two values; NaN likewise. */
        public double maxDifference() {
            return maxDifference;
        }

        /**
         * {@code relativeError} over that of the compared name before; NaN for the first one and where either error is NaN,
         * infinity after an error of 0.
         */
        public double growth() {
            return growth;
        }

        /** Whether it was compared and the relative error is at most the tolerance. */
        public boolean withinTolerance() {
            return withinTolerance;
        }

        private Members members() {
            return Members.of("name", name)
                    .and("status", status)
                    .and("actualShape", actualShape)
                    .and("referenceShape", referenceShape)
                    .and("relativeError", relativeError)
                    .and("maxDifference", maxDifference)
                    .and("growth", growth)
                    .and("withinTolerance", withinTolerance);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Entry that && members().equals(that.members());
        }

        @Override
        public int hashCode() {
            return members().hashCode();
        }

        @Override
        public String toString() {
            return "Entry" + members();
        }
    }

    private final List<Entry> entries;
    private final double tolerance;

    /** Keeps a copy of the entries. */
    ActivationComparison(List<Entry> entries, double tolerance) {
        this.entries = List.copyOf(entries);
        this.tolerance = tolerance;
    }

    /**
     * Compares two files, holding one pair of tensors in memory at a time.
     *
     * @param actual what was computed
     * @param reference what was expected
     * @param tolerance the largest relative error that passes, at least 0
     * @param prefix for files that hold several runs, such as {@code image.0/}: in a file that has names beginning with
     *     it only those are compared, without it; the other file's names are taken as they are. Empty for none
     * @return the comparison
     * @throws CheckpointException if a file cannot be read, or no file has a name with the prefix
     * @throws InvalidOptionException if the tolerance is negative or NaN
     */
    public static ActivationComparison compare(Path actual, Path reference, double tolerance, String prefix) {
        Objects.requireNonNull(actual, "actual");
        Objects.requireNonNull(reference, "reference");
        Objects.requireNonNull(prefix, "prefix");
        checkTolerance(tolerance);
        try (SafetensorsFile a = SafetensorsFile.open(actual);
                SafetensorsFile b = SafetensorsFile.open(reference)) {
            Map<String, String> namesA = byShortName(a.names(), prefix);
            Map<String, String> namesB = byShortName(b.names(), prefix);
            if (!prefix.isEmpty() && !hasPrefix(a.names(), prefix) && !hasPrefix(b.names(), prefix)) {
                throw new CheckpointException(
                        "neither " + actual + " nor " + reference + " has a name that begins with " + prefix);
            }
            return compare(new Side(namesA, a::shape, a::tensor), new Side(namesB, b::shape, b::tensor), tolerance);
        }
    }

    /**
     * Compares tensors in memory.
     *
     * @param actual what was computed, by name
     * @param reference what was expected, by name
     * @param tolerance the largest relative error that passes, at least 0
     * @return the comparison
     * @throws InvalidOptionException if the tolerance is negative or NaN
     */
    public static ActivationComparison compare(
            Map<String, Tensor> actual, Map<String, Tensor> reference, double tolerance) {
        Objects.requireNonNull(actual, "actual");
        Objects.requireNonNull(reference, "reference");
        checkTolerance(tolerance);
        return compare(Side.of(actual), Side.of(reference), tolerance);
    }

    /**
     * Whether both sides have the same names and shapes and every error is within the tolerance.
     *
     * @return false if there is any other entry, and for a comparison of nothing
     */
    public boolean passes() {
        return !entries.isEmpty() && entries.stream().allMatch(Entry::withinTolerance);
    }

    /**
     * Where the error first exceeds the tolerance: the first compared entry, in model order, whose relative error is
     * above it or NaN.
     *
     * @return the entry, or nothing if there is none
     */
    public Optional<Entry> firstOverTolerance() {
        return entries.stream()
                .filter(e -> e.status() == Status.COMPARED && !e.withinTolerance())
                .findFirst();
    }

    /**
     * Where the error grows most against the compared entry before it. Growth from an exact 0 is not counted: the first
     * rounding is no fault.
     *
     * @return the entry, or nothing if fewer than two entries have a finite, positive error one after the other
     */
    public Optional<Entry> largestGrowth() {
        return entries.stream()
                .filter(e -> Double.isFinite(e.growth()))
                .max((a, b) -> Double.compare(a.growth(), b.growth()));
    }

    /**
     * The compared entry with the largest relative error; a NaN counts as the largest.
     *
     * @return the entry, or nothing if no name was compared
     */
    public Optional<Entry> worst() {
        return entries.stream()
                .filter(e -> e.status() == Status.COMPARED)
                .max((a, b) -> Double.compare(a.relativeError(), b.relativeError()));
    }

    /** One file or map: its short names with the full ones, and how to read by the full name. */
    private record Side(Map<String, String> names, Function<String, long[]> shapes, Function<String, Tensor> tensors) {
        static Side of(Map<String, Tensor> map) {
            Function<String, Tensor> read = name -> {
                Tensor tensor = map.get(name);
                if (tensor == null) {
                    throw new InvalidOptionException("the map lost " + name + " while it was compared");
                }
                return tensor;
            };
            return new Side(
                    byShortName(map.keySet(), ""), name -> read.apply(name).shape(), read);
        }
    }

    private static ActivationComparison compare(Side actual, Side reference, double tolerance) {
        TreeSet<String> names = new TreeSet<>(ActivationOrder.INSTANCE);
        names.addAll(actual.names().keySet());
        names.addAll(reference.names().keySet());
        List<Entry> entries = new ArrayList<>();
        double before = Double.NaN;
        for (String name : names) {
            Entry entry = compare(name, actual, reference, tolerance, before);
            entries.add(entry);
            if (entry.status() == Status.COMPARED) {
                before = entry.relativeError();
            }
        }
        return new ActivationComparison(entries, tolerance);
    }

    private static Entry compare(String name, Side actual, Side reference, double tolerance, double before) {
        String nameA = actual.names().get(name);
        String nameB = reference.names().get(name);
        long[] shapeA = nameA == null ? new long[0] : actual.shapes().apply(nameA);
        long[] shapeB = nameB == null ? new long[0] : reference.shapes().apply(nameB);
        Status status = Status.COMPARED;
        Difference difference = new Difference(Double.NaN, Double.NaN);
        if (nameA == null) {
            status = Status.MISSING;
        } else if (nameB == null) {
            status = Status.UNEXPECTED;
        } else if (!Arrays.equals(Shape.withoutLeadingOnes(shapeA), Shape.withoutLeadingOnes(shapeB))) {
            status = Status.SHAPE_MISMATCH;
        } else {
            difference = Difference.of(
                    actual.tensors().apply(nameA), reference.tensors().apply(nameB));
        }
        double error = difference.relativeError();
        double growth = error == 0 && before == 0 ? 1 : error / before;
        boolean within = status == Status.COMPARED && error <= tolerance;
        return new Entry(name, status, list(shapeA), list(shapeB), error, difference.maxAbsolute(), growth, within);
    }

    private static Map<String, String> byShortName(Collection<String> names, String prefix) {
        boolean strip = !prefix.isEmpty() && hasPrefix(names, prefix);
        Map<String, String> byShort = new TreeMap<>();
        for (String name : names) {
            if (!strip) {
                byShort.put(name, name);
            } else if (name.startsWith(prefix)) {
                byShort.put(name.substring(prefix.length()), name);
            }
        }
        return byShort;
    }

    private static boolean hasPrefix(Collection<String> names, String prefix) {
        return names.stream().anyMatch(name -> name.startsWith(prefix));
    }

    private static List<Long> list(long[] shape) {
        return Arrays.stream(shape).boxed().toList();
    }

    private static void checkTolerance(double tolerance) {
        if (!(tolerance >= 0)) {
            throw new InvalidOptionException("tolerance is " + tolerance + ", it must be at least 0");
        }
    }

    /** One line for each name that either side has, in model order. */
    public List<Entry> entries() {
        return entries;
    }

    /** The largest relative error that passes. */
    public double tolerance() {
        return tolerance;
    }

    private Members members() {
        return Members.of("entries", entries).and("tolerance", tolerance);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ActivationComparison that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }
}
