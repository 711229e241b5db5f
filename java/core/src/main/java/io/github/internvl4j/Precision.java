package io.github.internvl4j;

/**
 * The type in which weights and the KV cache are kept. On the CPU activations, products' sums, softmax and norms are
 * f32 whatever is chosen here.
 */
public enum Precision {
    /** The type the checkpoint is stored in. */
    AUTO,
    /** Weights as stored (widening is exact), computed in f32, KV cache in f32: the most exact. */
    F32,
    /** bfloat16. */
    BF16,
    /** IEEE half precision. */
    F16
}
