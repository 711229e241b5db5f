package io.github.internvl4j.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.InvalidOptionException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class TensorTest {
    private static final ByteOrder FOREIGN =
            ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;

    @Test
    void allocatesZerosInDirectNativeMemory() {
        Tensor tensor = Tensor.allocate(2, 3);
        assertTrue(tensor.data().isDirect());
        assertEquals(ByteOrder.nativeOrder(), tensor.data().order());
        assertArrayEquals(new float[6], tensor.toArray());
        assertEquals(6, tensor.size());
        assertEquals(2, tensor.rank());
        assertEquals(3, tensor.size(1));
    }

    @Test
    void joinsAlongTheOutermostDimension() {
        Tensor one = Tensor.of(new float[] {1, 2}, 1, 2);
        Tensor two = Tensor.of(new float[] {3, 4, 5, 6}, 2, 2);
        Tensor joined = Tensor.joined(List.of(one, two));
        assertArrayEquals(new long[] {3, 2}, joined.shape());
        assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, joined.toArray());
        assertSame(one, Tensor.joined(List.of(one)));
        assertThrows(InvalidOptionException.class, () -> Tensor.joined(List.of()));
        assertThrows(InvalidOptionException.class, () -> Tensor.joined(List.of(one, Tensor.allocate(1, 3))));
        assertThrows(InvalidOptionException.class, () -> Tensor.joined(List.of(Tensor.allocate(), Tensor.allocate())));
    }

    @Test
    void sharesTheBufferItIsGivenFromItsPosition() {
        FloatBuffer buffer =
                ByteBuffer.allocateDirect(20).order(ByteOrder.nativeOrder()).asFloatBuffer();
        buffer.position(1);
        Tensor tensor = Tensor.of(buffer, 2, 2);
        buffer.put(2, 7);
        assertEquals(7, tensor.get(0, 1));
        tensor.data().put(0, 5);
        assertEquals(5, buffer.get(1));
    }

    @Test
    void refusesBuffersThatNativeCodeWouldMisread() {
        FloatBuffer heap = FloatBuffer.allocate(4);
        FloatBuffer foreign = ByteBuffer.allocateDirect(16).order(FOREIGN).asFloatBuffer();
        FloatBuffer direct =
                ByteBuffer.allocateDirect(16).order(ByteOrder.nativeOrder()).asFloatBuffer();
        assertMessage("heap", () -> Tensor.of(heap, 4));
        assertMessage("byte order", () -> Tensor.of(foreign, 4));
        assertMessage("read-only", () -> Tensor.of(direct.asReadOnlyBuffer(), 4));
        assertMessage("4 values were given", () -> Tensor.of(direct, 5));
    }

    @Test
    void checksShapesBeforeItTakesMemory() {
        assertMessage("negative", () -> Tensor.allocate(2, -1));
        assertMessage("64-bit", () -> Tensor.allocate(Long.MAX_VALUE, 3));
        assertMessage("at most", () -> Tensor.allocate(Tensor.MAX_ELEMENTS + 1));
        assertMessage("6 values were given", () -> Tensor.of(new float[6], 5));
        assertEquals(0, Tensor.allocate(Long.MAX_VALUE, 0, Long.MAX_VALUE).size());
        assertEquals(1, Tensor.allocate().size());
    }

    @Test
    void keepsItsShapeWhateverTheCallerDoesToTheArray() {
        long[] shape = {2, 3};
        Tensor tensor = Tensor.allocate(shape);
        shape[0] = 9;
        tensor.shape()[1] = 9;
        assertArrayEquals(new long[] {2, 3}, tensor.shape());
    }

    @Test
    void viewsShareMemory() {
        Tensor tensor = Tensor.of(new float[] {0, 1, 2, 3, 4, 5}, 3, 2);
        Tensor row = tensor.slice(1);
        assertArrayEquals(new long[] {2}, row.shape());
        assertArrayEquals(new float[] {2, 3}, row.toArray());
        row.data().put(0, 9);
        assertEquals(9, tensor.get(1, 0));
        assertEquals(9, tensor.reshape(6).get(2));
        assertEquals(9, row.slice(0).get());
        assertMessage("cannot become", () -> tensor.reshape(4));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.slice(3));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.get(0, 2));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.get(0));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.size(2));
    }

    @Test
    void relativeErrorIsNormOfDifferenceOverNormOfReference() {
        Tensor reference = Tensor.of(new float[] {3, 4}, 2);
        assertEquals(0.2, Tensor.of(new float[] {3, 5}, 1, 2).relativeError(reference), 1e-15);
        assertEquals(0, reference.relativeError(reference));
        assertEquals(0, Tensor.allocate(2).relativeError(Tensor.allocate(2)));
        assertEquals(Double.POSITIVE_INFINITY, reference.relativeError(Tensor.allocate(2)));
        assertEquals(Double.NaN, Tensor.of(new float[] {3, Float.NaN}, 2).relativeError(reference));
        assertMessage("cannot be compared", () -> reference.relativeError(Tensor.allocate(3)));
    }

    private static void assertMessage(String part, Runnable action) {
        InvalidOptionException e = assertThrows(InvalidOptionException.class, action::run);
        assertTrue(String.valueOf(e.getMessage()).contains(part), e.getMessage());
    }
}
