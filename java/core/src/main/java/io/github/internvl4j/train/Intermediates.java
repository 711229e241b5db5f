package io.github.internvl4j.train;

/** What becomes of what layers compute on the way there, which the way back needs. The same bits in any case. */
public enum Intermediates {
    /** Kept if there is room. */
    AUTO,
    /** Computed again, layer by layer: half as much work more, and the memory of one layer. */
    RECOMPUTE,
    /** Kept, those of all layers. */
    KEEP
}
