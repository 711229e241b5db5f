package io.github.internvl4j.tensor;

import io.github.internvl4j.error.InvalidOptionException;
import java.util.Arrays;

/** Arithmetic on shapes, with every product checked for overflow. */
final class Shape {
    private Shape() {}

    /**
     * The number of elements of a shape: the product of its sizes, 1 for no dimension at all.
     *
     * @param shape sizes, outermost first
     * @return the product
     * @throws InvalidOptionException if a size is negative or the product does not fit a long
     */
    static long elements(long... shape) {
        boolean empty = false;
        for (long size : shape) {
            if (size < 0) {
                throw new InvalidOptionException("shape " + Arrays.toString(shape) + " has a negative size");
            }
            empty |= size == 0;
        }
        if (empty) {
            return 0;
        }
        long product = 1;
        for (long size : shape) {
            try {
                product = Math.multiplyExact(product, size);
            } catch (ArithmeticException e) {
                throw new InvalidOptionException(
                        "shape " + Arrays.toString(shape) + " has more elements than a 64-bit count holds", e);
            }
        }
        return product;
    }

    /**
     * A shape without its leading sizes of 1: (1,206,256) becomes (206,256).
     *
     * @param shape sizes, outermost first
     * @return a new array
     */
    static long[] withoutLeadingOnes(long[] shape) {
        int first = 0;
        while (first < shape.length && shape[first] == 1) {
            first++;
        }
        return Arrays.copyOfRange(shape, first, shape.length);
    }
}
