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
    INT8,
    /**
     * The linear layers of the decoder as 16-bit weights that take four bits, quantized while loading: 64 neighbours with a scale, each
     * weight one of sixteen values (NF4's levels, arXiv:2305.14314). Activations are those of 16 bits. The head is in 8 bits; everything
     * else as stored, or bf16 if that is f32. A little over a quarter of the memory of 16 bits. The vision tower keeps its type
     * unless {@link VisionPrecision} says otherwise. A checkpoint that is stored so, or in AWQ, runs so whatever is asked.
     */
    INT4
}
