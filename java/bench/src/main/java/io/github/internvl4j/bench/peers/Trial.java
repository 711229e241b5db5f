package io.github.internvl4j.bench.peers;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * One comparison, as the JVM that makes it reads it.
 *
 * @param gguf the model file of the peers that read one
 * @param llamaBench the llama-bench of an engine that has one
 * @param report where that JVM leaves its {@link Report}
 */
record Trial(
        Task task,
        Side ours,
        Side peer,
        int threads,
        @Nullable Path gguf,
        @Nullable Path llamaBench,
        Path report) {
    /**
     * What a trial's JVM knows besides the times, which JMH carries.
     *
     * @param cost of one run of ours
     * @param ours version and settings
     * @param peer version and settings
     * @param failure why there are no times
     */
    record Report(
            @Nullable Cost cost,
            String ours,
            String peer,
            @Nullable String failure) {}

    /**
     * What one run of ours computes and moves.
     *
     * @param weightBytes of the weights that a run reads
     * @param cacheBytes of keys and values
     */
    record Cost(double operations, double weightBytes, double cacheBytes) {}
}
