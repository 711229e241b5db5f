package io.github.internvl4j.cli;

import io.github.internvl4j.LoadOptions;
import picocli.CommandLine.Option;

/** How much memory the KV caches have. */
final class KvMemoryOption {
    @Option(
            names = "--kv-memory",
            defaultValue = "0",
            paramLabel = "BYTES",
            description = "For the KV caches of all requests together; 0: a full context and the batch (default).")
    private long kvMemory;

    LoadOptions of(LoadOptions options) {
        return options.kvMemory(kvMemory);
    }
}
