package io.github.internvl4j;

/** The type of the KV cache, which holds the keys and values of a conversation's tokens. */
public enum KvCacheType {
    /** That of {@link Precision}; with {@link Precision#INT8} that of what is not quantized. */
    AUTO,
    /** The most exact. */
    F32,
    /** bfloat16. */
    BF16,
    /** IEEE half precision. */
    F16,
    /** 8 bits, with a scale for each token's key and value in each head: a little over half the memory of 16 bits. */
    INT8
}
