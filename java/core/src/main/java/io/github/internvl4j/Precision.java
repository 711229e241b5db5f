package io.github.internvl4j;

/**
 * The type in which weights are kept, and the KV cache if it has none of its own ({@link KvCacheType}). On the CPU activations, products' sums, softmax and norms are
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
    F16,
    /**
     * The linear layers of the decoder and its head in 8 bits, quantized while loading, a scale for each output; their
     * inputs too, a scale for each row, with those of magnitude 6 and more kept apart in f32 (LLM.int8(),
     * arXiv:2208.07339). Everything else as stored, or bf16 if that is f32. Half the memory of 16 bits.
     */
    INT8
}
