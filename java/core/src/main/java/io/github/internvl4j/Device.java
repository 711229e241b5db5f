package io.github.internvl4j;

/** Where a model runs. */
public enum Device {
    /** The best there is: the CPU in this version. */
    AUTO,
    /** The CPU. */
    CPU
}
