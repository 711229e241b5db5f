package io.github.internvl4j.tensor;

import io.github.internvl4j.error.InvalidOptionException;
import java.nio.FloatBuffer;

/**
 * How far one tensor is from another.
 *
 * @param relativeError norm of the difference over norm of the reference; 0 if all values are equal, infinity if only
 *     the reference is all zeros, NaN if a NaN or an infinity takes part
 * @param maxAbsolute the largest absolute difference of two values; NaN if a NaN takes part
 */
record Difference(double relativeError, double maxAbsolute) {
    /**
     * Compares value by value in row-major order, whatever the shapes, summing in double.
     *
     * @param actual what was computed
     * @param reference what was expected, as many values
     * @return the difference
     * @throws InvalidOptionException if the number of values differs
     */
    static Difference of(Tensor actual, Tensor reference) {
        if (actual.size() != reference.size()) {
            throw new InvalidOptionException("tensors of shapes " + actual.shapeText() + " and " + reference.shapeText()
                    + " cannot be compared: the numbers of values differ");
        }
        FloatBuffer a = actual.data();
        FloatBuffer b = reference.data();
        double differenceSquares = 0;
        double referenceSquares = 0;
        double largest = 0;
        for (int i = 0; i < a.capacity(); i++) {
            double expected = b.get(i);
            double difference = a.get(i) - expected;
            differenceSquares += difference * difference;
            referenceSquares += expected * expected;
            largest = Math.max(largest, Math.abs(difference));
        }
        double relative = differenceSquares == 0 ? 0 : Math.sqrt(differenceSquares) / Math.sqrt(referenceSquares);
        return new Difference(relative, largest);
    }
}
