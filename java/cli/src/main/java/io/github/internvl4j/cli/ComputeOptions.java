package io.github.internvl4j.cli;

import io.github.internvl4j.Device;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.VisionPrecision;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where a model is computed, by how many threads, and in which types. */
final class ComputeOptions {
    @Mixin
    private PrecisionOptions precision;

    @Option(
            names = "--device",
            defaultValue = "auto",
            paramLabel = "D",
            description = "auto (default), cpu, cuda, cuda:N, cuda:N,M or, with the layers of each, cuda:N=20,M=40.")
    private Device device;

    @Mixin
    private ThreadOptions threads;

    VisionPrecision vision() {
        return precision.vision();
    }

    LoadOptions of(LoadOptions options) {
        return threads.of(precision.of(options)).device(device);
    }
}
