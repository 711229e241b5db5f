package io.github.internvl4j;

/** Hears of the requests that a model is asked, whoever asks: for what is measured or logged. */
@FunctionalInterface
public interface RequestListener {
    /**
     * A request is over. Called on the thread that asked, before that has its answer, by several threads at once: it must not wait. An
     * exception thrown here is logged, and keeps nobody from an answer.
     */
    void onEnd(RequestReport report);
}
