package io.github.internvl4j.runtime;

import io.github.internvl4j.Precision;

/** What a product's factors are when the processor multiplies them, which is not always how they are kept. */
public enum Factors {
    /** f32 activations by weights of any type but bytes, which are widened. */
    F32,
    /** bf16 weights by activations rounded to bf16. */
    BF16,
    /** Bytes. */
    INT8;

    /**
     * Those of this library on the CPU.
     *
     * @param kept the precision of the weights
     * @param bf16Activations whether activations are rounded
     */
    public static Factors of(Precision kept, boolean bf16Activations) {
        if (kept == Precision.INT8) {
            return INT8;
        }
        return bf16Activations ? BF16 : F32;
    }
}
