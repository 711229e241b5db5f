package io.github.internvl4j.bench.gpu;

import static org.bytedeco.cuda.global.cudart.cudaFree;
import static org.bytedeco.cuda.global.cudart.cudaMalloc;
import static org.bytedeco.cuda.global.cudart.cudaMemcpy;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyDeviceToHost;
import static org.bytedeco.cuda.global.cudart.cudaMemcpyHostToDevice;

import io.github.internvl4j.tensor.Tensor;
import java.nio.FloatBuffer;
import java.util.Random;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;

/** Memory of the current GPU, for a peer's operands. */
final class DeviceMemory implements AutoCloseable {
    /** Elements that go over in one copy; random contents repeat after so many. */
    private static final int PIECE = (1 << 20) - 3;

    private final Pointer address = new Pointer();
    private final long bytes;

    DeviceMemory(long bytes) {
        this.bytes = bytes;
        Status.cuda(cudaMalloc(address, bytes), "cudaMalloc of " + bytes + " bytes");
    }

    /** bf16 from values that are bf16 already. */
    static DeviceMemory ofBf16(Tensor values) {
        DeviceMemory memory = new DeviceMemory(values.size() * Short.BYTES);
        FloatBuffer source = values.data();
        short[] piece = new short[PIECE];
        try (ShortPointer staged = new ShortPointer(PIECE)) {
            for (long done = 0; source.hasRemaining(); ) {
                int count = Math.min(PIECE, source.remaining());
                for (int i = 0; i < count; i++) {
                    piece[i] = bf16(source.get());
                }
                staged.put(piece, 0, count);
                memory.write(done * Short.BYTES, staged, (long) count * Short.BYTES);
                done += count;
            }
        }
        return memory;
    }

    /** Random numbers between -1 and 1 in bf16: how much a GPU's clock falls depends on the bits. */
    static DeviceMemory randomBf16(long elements, long seed) {
        Random random = new Random(seed);
        short[] piece = new short[PIECE];
        for (int i = 0; i < PIECE; i++) {
            piece[i] = bf16(random.nextFloat() * 2 - 1);
        }
        try (ShortPointer staged = new ShortPointer(piece)) {
            return repeated(staged, elements, Short.BYTES);
        }
    }

    static DeviceMemory randomInt8(long elements, long seed) {
        byte[] piece = new byte[PIECE];
        new Random(seed).nextBytes(piece);
        try (BytePointer staged = new BytePointer(piece)) {
            return repeated(staged, elements, 1);
        }
    }

    private static DeviceMemory repeated(Pointer piece, long elements, int size) {
        DeviceMemory memory = new DeviceMemory(elements * size);
        for (long done = 0; done < elements; done += PIECE) {
            memory.write(done * size, piece, Math.min(PIECE, elements - done) * size);
        }
        return memory;
    }

    private void write(long at, Pointer from, long count) {
        Status.cuda(cudaMemcpy(at(at), from, count, cudaMemcpyHostToDevice), "cudaMemcpy to the GPU");
    }

    Pointer address() {
        return address;
    }

    /** The address so many bytes behind the first. */
    Pointer at(long offset) {
        return new BytePointer(address).getPointer(offset);
    }

    /** Bytes. */
    long size() {
        return bytes;
    }

    /** Rows of bf16, the first `cols` of every `stride` values. */
    Tensor readBf16(int rows, int cols, int stride) {
        Tensor values = Tensor.allocate(rows, cols);
        FloatBuffer out = values.data();
        short[] row = new short[cols];
        try (ShortPointer staged = new ShortPointer((long) rows * stride)) {
            read(staged, (long) rows * stride * Short.BYTES);
            for (int r = 0; r < rows; r++) {
                staged.getPointer((long) r * stride).get(row);
                for (short bits : row) {
                    out.put(Float.intBitsToFloat(bits << 16));
                }
            }
        }
        return values;
    }

    /** The same of f32. */
    Tensor readF32(int rows, int cols, int stride) {
        Tensor values = Tensor.allocate(rows, cols);
        FloatBuffer out = values.data();
        float[] row = new float[cols];
        try (FloatPointer staged = new FloatPointer((long) rows * stride)) {
            read(staged, (long) rows * stride * Float.BYTES);
            for (int r = 0; r < rows; r++) {
                staged.getPointer((long) r * stride).get(row);
                out.put(row);
            }
        }
        return values;
    }

    private void read(Pointer to, long count) {
        Status.cuda(cudaMemcpy(to, address, count, cudaMemcpyDeviceToHost), "cudaMemcpy from the GPU");
    }

    static short bf16(float value) {
        return (short) (Float.floatToRawIntBits(value) >>> 16);
    }

    @Override
    public void close() {
        cudaFree(address);
        address.setNull();
    }
}
