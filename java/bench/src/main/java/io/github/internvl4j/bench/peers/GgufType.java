package io.github.internvl4j.bench.peers;

import java.nio.ByteBuffer;

/** How a GGUF tensor keeps its values; only what the comparisons need. */
enum GgufType {
    F32(0, 1, 4),
    F16(1, 1, 2),
    Q8_0(8, 32, 34),
    BF16(30, 1, 2);

    private final int id;
    private final int blockValues;
    private final int blockBytes;

    GgufType(int id, int blockValues, int blockBytes) {
        this.id = id;
        this.blockValues = blockValues;
        this.blockBytes = blockBytes;
    }

    int id() {
        return id;
    }

    int blockValues() {
        return blockValues;
    }

    long bytes(long values) {
        return values / blockValues * blockBytes;
    }

    /** Whole blocks. */
    void encode(float[] values, ByteBuffer target) {
        switch (this) {
            case F32 -> {
                for (float value : values) {
                    target.putFloat(value);
                }
            }
            case F16 -> {
                for (float value : values) {
                    target.putShort(half(value));
                }
            }
            case BF16 -> {
                for (float value : values) {
                    int bits = Float.floatToIntBits(value);
                    target.putShort((short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16)); // to nearest, ties to even
                }
            }
            case Q8_0 -> {
                for (int begin = 0; begin < values.length; begin += blockValues) {
                    quantize(values, begin, target);
                }
            }
        }
    }

    private void quantize(float[] values, int begin, ByteBuffer target) {
        float largest = 0;
        for (int i = begin; i < begin + blockValues; i++) {
            largest = Math.max(largest, Math.abs(values[i]));
        }
        float scale = largest / 127;
        target.putShort(half(scale));
        for (int i = begin; i < begin + blockValues; i++) {
            target.put((byte) (scale == 0 ? 0 : Math.round(values[i] / scale)));
        }
    }

    /** binary32 to IEEE 754 binary16, to nearest, ties to even; {@code Float.floatToFloat16} needs Java 20. */
    static short half(float value) {
        int bits = Float.floatToIntBits(value);
        int sign = bits >>> 16 & 0x8000;
        float magnitude = Math.abs(value);
        if (magnitude >= 65520) {
            return (short) (sign | 0x7c00);
        }
        if (magnitude < 0x1p-14f) {
            return (short) (sign | (int) Math.rint(magnitude * 0x1p24f)); // subnormal, in units of the least
        }
        int rebiased = (bits & 0x7fffffff) - (112 << 23); // the biases are 127 and 15
        return (short) (sign | rebiased + 0xfff + (rebiased >>> 13 & 1) >>> 13);
    }
}
