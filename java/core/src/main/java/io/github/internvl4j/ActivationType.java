package io.github.internvl4j;

/**
 * The type to which the CPU rounds activations where they are multiplied with bf16 weights, and in attention: the vision tower's, and the
 * decoder's where its KV cache is in bf16.
 */
public enum ActivationType {
    /**
     * {@link #BF16} where the weights are bf16 and the processor multiplies bf16 faster than f32 (AMD's with AVX512_BF16), else
     * {@link #F32}. The original itself rounds to bf16: either is within its error.
     */
    AUTO,
    /** Not at all: for who compares numbers across machines. */
    F32,
    /** As GPUs always do; needs weights kept in bf16. */
    BF16
}
