package io.github.internvl4j.cli;

import io.github.internvl4j.LoadOptions;
import picocli.CommandLine.Option;

/** The threads that compute on the CPU. */
final class ThreadOptions {
    @Option(
            names = "--threads",
            defaultValue = "0",
            paramLabel = "N",
            description = "Compute threads; 0: all that the process may use, or as many as --affinity names (default).")
    private int threads;

    @Option(
            names = "--affinity",
            defaultValue = "none",
            paramLabel = "A",
            description =
                    "Processors that compute threads are bound to, one each: none (default), auto, or such as 0,2,4-7.")
    private String affinity;

    LoadOptions of(LoadOptions options) {
        return options.threads(threads).affinity(affinity);
    }
}
