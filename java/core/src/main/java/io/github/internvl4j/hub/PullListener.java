package io.github.internvl4j.hub;

/** Hears of a download, on the thread that asked for it; throw from it to stop. */
@FunctionalInterface
public interface PullListener {
    /** Some times a second while bytes come, at the beginning and at the end. */
    void onProgress(PullProgress progress);

    /**
     * Why nothing comes for a while: a connection was cut and is tried again, the hub asks to wait, another process downloads the
     * same file.
     *
     * @param note one line for people
     */
    default void onNote(String note) {}

    /** Hears nothing. */
    static PullListener none() {
        return progress -> {};
    }
}
