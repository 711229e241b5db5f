package io.github.internvl4j.tensor;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The element types of a safetensors file that can be turned into f32. 64-bit and 32-bit integers and doubles are
 * rounded to the nearest f32.
 */
enum DType {
    BOOL(1),
    U8(1),
    I8(1),
    U16(2),
    I16(2),
    F16(2),
    BF16(2),
    U32(4),
    I32(4),
    F32(4),
    U64(8),
    I64(8),
    F64(8);

    /** Bytes an element. */
    final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /**
     * The type of a name in a header.
     *
     * @param name such as {@code BF16}
     * @return the type, or null if it is none of these
     */
    static @Nullable DType named(String name) {
        for (DType type : values()) {
            if (type.name().equals(name)) {
                return type;
            }
        }
        return null;
    }

    /**
     * Converts whole elements.
     *
     * @param source little-endian bytes, from position to limit a whole number of elements
     * @param target where the f32 values are put
     */
    void toFloat(ByteBuffer source, FloatBuffer target) {
        while (source.hasRemaining()) {
            target.put(next(source));
        }
    }

    private float next(ByteBuffer source) {
        return switch (this) {
            case BOOL -> source.get() == 0 ? 0 : 1;
            case U8 -> source.get() & 0xff;
            case I8 -> source.get();
            case U16 -> source.getShort() & 0xffff;
            case I16 -> source.getShort();
            case F16 -> halfToFloat(source.getShort());
            case BF16 -> Float.intBitsToFloat(source.getShort() << 16);
            case U32 -> source.getInt() & 0xffffffffL;
            case I32 -> source.getInt();
            case F32 -> source.getFloat();
            case U64 -> unsignedToFloat(source.getLong());
            case I64 -> source.getLong();
            case F64 -> (float) source.getDouble();
        };
    }

    /** IEEE 754 binary16 to binary32, exactly; {@code Float.float16ToFloat} needs Java 20. */
    static float halfToFloat(short bits) {
        int sign = (bits & 0x8000) << 16;
        int exponent = bits >>> 10 & 0x1f;
        int fraction = bits & 0x3ff;
        if (exponent == 0) {
            float magnitude = fraction * 0x1p-24f; // zero and subnormals
            return sign == 0 ? magnitude : -magnitude;
        }
        int widened = exponent == 31 ? 0xff : exponent + 112; // the biases are 15 and 127
        return Float.intBitsToFloat(sign | widened << 23 | fraction << 13);
    }

    private static float unsignedToFloat(long value) {
        if (value >= 0) {
            return value;
        }
        // Halved with the lost bit kept in the lowest place, the rounding comes out the same.
        return (float) (value >>> 1 | value & 1) * 2;
    }
}
