package io.github.internvl4j.cli;

import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.error.InvalidOptionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How many requests are computed together. */
final class BatchSizeOption {
    @Option(
            names = "--batch-size",
            paramLabel = "N",
            description = "Requests computed together (default: as many as memory has room for, up to 8).")
    private @Nullable Integer batchSize;

    LoadOptions of(LoadOptions options) {
        if (batchSize != null && batchSize < 1) {
            throw new InvalidOptionException("maxBatch is " + batchSize + ", expected at least 1");
        }
        return options.maxBatch(batchSize == null ? 0 : batchSize);
    }
}
