package io.github.internvl4j.tensor;

import io.github.internvl4j.error.InvalidOptionException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * A dense f32 tensor, row-major, over a direct buffer in native byte order, so that native code reads and writes it
 * without a copy.
 *
 * <p>The shape never changes; the values may, through {@link #data()}. Views ({@link #reshape}, {@link #slice}) share
 * the memory, which lives as long as any view of it is reachable. A tensor does no locking: threads that write the same
 * values must agree among themselves. One tensor holds at most {@link #MAX_ELEMENTS} values.
 */
public final class Tensor {
    /** The most values one tensor can hold: a Java buffer has at most 2^31 - 1 bytes. */
    public static final long MAX_ELEMENTS = Integer.MAX_VALUE / Float.BYTES;

    private final long[] shape;
    private final FloatBuffer data;

    private Tensor(FloatBuffer data, long[] shape) {
        this.data = data;
        this.shape = shape;
    }

    /**
     * A new tensor of zeros.
     *
     * @param shape sizes, outermost first; none for a single value
     * @return the tensor
     * @throws InvalidOptionException if a size is negative or there are more than {@link #MAX_ELEMENTS} values
     */
    public static Tensor allocate(long... shape) {
        Objects.requireNonNull(shape, "shape");
        int elements = checkedElements(shape);
        FloatBuffer data = ByteBuffer.allocateDirect(elements * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        return new Tensor(data, shape.clone());
    }

    /**
     * A tensor over memory that is already there; nothing is copied.
     *
     * @param direct a direct buffer in native byte order; its remaining values, from position to limit, are the tensor
     * @param shape sizes, outermost first; their product must equal {@code direct.remaining()}
     * @return the tensor
     * @throws InvalidOptionException if the buffer is not direct, is not in native order, is read-only, or does not
     *     hold exactly the shape's number of values
     */
    public static Tensor of(FloatBuffer direct, long... shape) {
        Objects.requireNonNull(direct, "direct");
        Objects.requireNonNull(shape, "shape");
        int elements = checkedElements(shape);
        if (!direct.isDirect()) {
            throw new InvalidOptionException("the buffer of a tensor must be direct, this one is on the Java heap;"
                    + " use ByteBuffer.allocateDirect, or Tensor.of(float[], shape) for a copy");
        }
        if (direct.order() != ByteOrder.nativeOrder()) {
            throw new InvalidOptionException("the buffer of a tensor must be in native byte order ("
                    + ByteOrder.nativeOrder() + "), this one is " + direct.order()
                    + "; call order(ByteOrder.nativeOrder()) before asFloatBuffer()");
        }
        if (direct.isReadOnly()) {
            throw new InvalidOptionException("the buffer of a tensor must not be read-only");
        }
        checkCount(direct.remaining(), elements, shape);
        return new Tensor(direct.slice(), shape.clone());
    }

    /**
     * A tensor with a copy of an array.
     *
     * @param values the values, row-major
     * @param shape sizes, outermost first; their product must equal {@code values.length}
     * @return the tensor
     * @throws InvalidOptionException if the shape's number of values differs from the array's length
     */
    public static Tensor of(float[] values, long... shape) {
        Objects.requireNonNull(values, "values");
        Objects.requireNonNull(shape, "shape");
        checkCount(values.length, checkedElements(shape), shape);
        Tensor tensor = allocate(shape);
        tensor.data.duplicate().put(values);
        return tensor;
    }

    /**
     * The entries of several tensors, in order, along the outermost dimension.
     *
     * @param parts at least one, all of one shape but for the outermost size
     * @return a copy; of one tensor, itself
     * @throws InvalidOptionException if there is none, or the shapes differ
     */
    public static Tensor joined(List<Tensor> parts) {
        Objects.requireNonNull(parts, "parts");
        if (parts.isEmpty()) {
            throw new InvalidOptionException("there are no tensors to join, expected at least one");
        }
        Tensor first = parts.get(0);
        if (parts.size() == 1) {
            return first;
        }
        long[] shape = first.shape();
        for (Tensor part : parts.subList(1, parts.size())) {
            long[] own = part.shape();
            if (shape.length == 0
                    || own.length != shape.length
                    || !Arrays.equals(own, 1, own.length, shape, 1, shape.length)) {
                throw new InvalidOptionException(
                        "a tensor of shape " + part.shapeText() + " cannot be joined to one of shape "
                                + first.shapeText() + "; expected the same sizes but for the first");
            }
            shape[0] += own[0];
        }
        Tensor whole = allocate(shape);
        FloatBuffer to = whole.data.duplicate();
        parts.forEach(part -> to.put(part.data.duplicate()));
        return whole;
    }

    /**
     * The shape.
     *
     * @return the sizes, outermost first, in a new array
     */
    public long[] shape() {
        return shape.clone();
    }

    /**
     * The number of dimensions.
     *
     * @return 0 for a single value
     */
    public int rank() {
        return shape.length;
    }

    /**
     * One size of the shape.
     *
     * @param dimension from 0, the outermost
     * @return the size
     * @throws IndexOutOfBoundsException if there is no such dimension
     */
    public long size(int dimension) {
        if (dimension < 0 || dimension >= shape.length) {
            throw new IndexOutOfBoundsException("dimension " + dimension + " of a tensor of shape " + shapeText());
        }
        return shape[dimension];
    }

    /**
     * The number of values.
     *
     * @return the product of the shape
     */
    public long size() {
        return data.capacity();
    }

    /**
     * The values, row-major, in a direct buffer in native byte order that shares this tensor's memory. Every call gives
     * a buffer with its own position and limit.
     *
     * @return a buffer with position 0 and {@link #size()} values
     */
    public FloatBuffer data() {
        return data.duplicate();
    }

    /**
     * One value.
     *
     * @param index one index for each dimension, outermost first
     * @return the value there
     * @throws IndexOutOfBoundsException if the number of indices is not {@link #rank()} or one is out of its range
     */
    public float get(long... index) {
        Objects.requireNonNull(index, "index");
        if (index.length != shape.length) {
            throw new IndexOutOfBoundsException(
                    "index " + Arrays.toString(index) + " of a tensor of shape " + shapeText());
        }
        long offset = 0;
        for (int i = 0; i < shape.length; i++) {
            if (index[i] < 0 || index[i] >= shape[i]) {
                throw new IndexOutOfBoundsException(
                        "index " + Arrays.toString(index) + " of a tensor of shape " + shapeText());
            }
            offset = offset * shape[i] + index[i];
        }
        return data.get((int) offset);
    }

    /**
     * A copy of the values on the Java heap.
     *
     * @return {@link #size()} values, row-major
     */
    public float[] toArray() {
        float[] values = new float[data.capacity()];
        data.duplicate().get(values);
        return values;
    }

    /**
     * A view of the same values under another shape.
     *
     * @param newShape sizes whose product is {@link #size()}
     * @return a tensor that shares this one's memory
     * @throws InvalidOptionException if the number of values differs
     */
    public Tensor reshape(long... newShape) {
        Objects.requireNonNull(newShape, "newShape");
        int elements = checkedElements(newShape);
        if (elements != data.capacity()) {
            throw new InvalidOptionException("a tensor of shape " + shapeText() + " cannot become "
                    + Arrays.toString(newShape) + ": " + data.capacity() + " values against " + elements);
        }
        return new Tensor(data, newShape.clone());
    }

    /**
     * A view of one entry along the outermost dimension: of (n,3,448,448), the image {@code index} as (3,448,448).
     *
     * @param index from 0
     * @return a tensor of one dimension fewer that shares this one's memory
     * @throws IndexOutOfBoundsException if there is no such entry or no dimension
     */
    public Tensor slice(long index) {
        if (shape.length == 0 || index < 0 || index >= shape[0]) {
            throw new IndexOutOfBoundsException("entry " + index + " of a tensor of shape " + shapeText());
        }
        int count = (int) (data.capacity() / shape[0]);
        return new Tensor(data.slice((int) index * count, count), Arrays.copyOfRange(shape, 1, shape.length));
    }

    /**
     * The relative error of this tensor against a reference: the Euclidean norm of the difference over the norm of the
     * reference, both summed in double. The values are compared in row-major order, whatever the shapes.
     *
     * @param reference what was expected; the same number of values
     * @return 0 if all values are equal; infinity if the reference is all zeros and this tensor is not; NaN if either
     *     holds a NaN, or infinities
     * @throws InvalidOptionException if the number of values differs
     */
    public double relativeError(Tensor reference) {
        Objects.requireNonNull(reference, "reference");
        return Difference.of(this, reference).relativeError();
    }

    /** The shape as text, {@code [1, 3, 448, 448]}. */
    String shapeText() {
        return Arrays.toString(shape);
    }

    /** {@code Tensor[1, 3, 448, 448]}. */
    @Override
    public String toString() {
        return "Tensor" + shapeText();
    }

    private static int checkedElements(long[] shape) {
        long elements = Shape.elements(shape);
        if (elements > MAX_ELEMENTS) {
            throw new InvalidOptionException("a tensor of shape " + Arrays.toString(shape) + " has " + elements
                    + " values, at most " + MAX_ELEMENTS + " fit one buffer");
        }
        return (int) elements;
    }

    private static void checkCount(int have, int want, long[] shape) {
        if (have != want) {
            throw new InvalidOptionException(have + " values were given for a tensor of shape " + Arrays.toString(shape)
                    + ", which has " + want);
        }
    }
}
