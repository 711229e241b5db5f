package io.github.internvl4j;

/** Why an answer ended. */
public enum FinishReason {
    /** A stop token or a stop string. */
    STOP,
    /** As long as was allowed, or the context is full. */
    LENGTH,
    /** {@link Cancellation#cancel}, {@link Chat#cancel}, or the thread was interrupted. */
    CANCELLED
}
