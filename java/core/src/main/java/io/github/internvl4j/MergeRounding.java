package io.github.internvl4j;

/** How an adapter's sums are rounded when they are merged into weights of 16 bits ({@link InternVL#merge}). */
public enum MergeRounding {
    /** Once, to the type that the weight is stored in: nearest to what the adapter does beside the weights, and what PEFT does today. */
    ONCE,
    /**
     * The pairs, their product, its multiple and the sum, each to that type: what the original's own tool gives, {@code merge_lora.py}, for
     * who wants to have its model.
     */
    IN_TYPE
}
