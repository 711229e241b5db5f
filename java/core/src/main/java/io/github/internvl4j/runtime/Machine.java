package io.github.internvl4j.runtime;

import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_machine;
import org.bytedeco.javacpp.BytePointer;

/**
 * What the processor can do, measured with the kernels' own instructions.
 *
 * @param readGigabytesPerSecond streaming reads from memory
 * @param f32Gigaflops fused multiply-adds in f32, counted as two operations
 * @param bf16Gigaflops the same for products of bf16 by bf16
 * @param int8Gigaops and of bytes
 * @param threads used for both
 */
public record Machine(
        double readGigabytesPerSecond, double f32Gigaflops, double bf16Gigaflops, double int8Gigaops, int threads) {
    /**
     * Measures for about a second.
     *
     * @param options their threads and affinity count
     */
    public static Machine measure(LoadOptions options) {
        NativeLibrary.load();
        try (ivl_machine out = new ivl_machine();
                BytePointer affinity = NativeLibrary.utf8(options.affinity())) {
            NativeLibrary.check(internvl4j.ivl_measure_machine(options.threads(), affinity, out));
            return new Machine(
                    out.read_gigabytes_per_second(),
                    out.f32_gigaflops(),
                    out.bf16_gigaflops(),
                    out.int8_gigaops(),
                    out.threads());
        }
    }

    /** The measured peak of products of such factors, in 1e9 operations a second. */
    public double peak(Factors factors) {
        return switch (factors) {
            case F32 -> f32Gigaflops;
            case BF16 -> bf16Gigaflops;
            case INT8 -> int8Gigaops;
        };
    }

    /** The better of two measurements in each figure. */
    public Machine best(Machine other) {
        return new Machine(
                Math.max(readGigabytesPerSecond, other.readGigabytesPerSecond),
                Math.max(f32Gigaflops, other.f32Gigaflops),
                Math.max(bf16Gigaflops, other.bf16Gigaflops),
                Math.max(int8Gigaops, other.int8Gigaops),
                threads);
    }
}
