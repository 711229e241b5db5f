package io.github.internvl4j.train;

/** What of a part of the model learns. In the order of ivl_learning. */
public enum Learning {
    /** It stays as it is. */
    NOTHING,
    /** A pair beside each of its linear layers (LoRA), whose product is added twice: alpha is twice the rank, as in the original. */
    LORA,
    /** Every weight, kept in f32 meanwhile. */
    ALL
}
