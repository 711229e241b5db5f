package io.github.internvl4j.cli.traffic;

import java.util.concurrent.CompletableFuture;

/** Who answers. */
public interface Target {
    /**
     * Begins to answer, and returns without waiting for it.
     *
     * @param token run for each token that arrives, in order, on any thread
     * @return completed with the end, exceptionally if there was no whole answer
     */
    CompletableFuture<?> ask(Arrivals.Arrival arrival, Runnable token);
}
