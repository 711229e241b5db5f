package io.github.internvl4j;

/** What {@link Precision#INT8} and {@link Precision#INT4} make of the linear layers of the vision tower's blocks and of the projector. */
public enum VisionPrecision {
    /** They stay as they are stored. */
    AS_STORED,
    /** 8 bits. */
    INT8,
    /**
     * Four bits. The model card warns of it: the vision tower's activations have large outliers, and what the model says about images
     * becomes worse or wrong. Text is answered as before.
     */
    INT4
}
