package io.github.internvl4j.cli;

import io.github.internvl4j.ActivationType;
import io.github.internvl4j.KvCacheType;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.Precision;
import io.github.internvl4j.VisionPrecision;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The types a model is kept in. */
final class PrecisionOptions {
    @Option(
            names = "--precision",
            defaultValue = "auto",
            paramLabel = "P",
            description =
                    "f32, bf16, f16, int8 or int4 (the decoder's linear layers), or auto for the stored type (default).")
    private Precision precision;

    @Mixin
    private VisionOption vision;

    @Option(
            names = "--kv-cache",
            defaultValue = "auto",
            paramLabel = "T",
            description =
                    "Type of the KV cache: f32, bf16, f16, int8, or auto for the precision's (default). GPUs: auto.")
    private KvCacheType kvCache;

    @Option(
            names = "--activations",
            defaultValue = "auto",
            paramLabel = "T",
            description =
                    "On the CPU, what is multiplied with bf16 weights, and in attention: f32, bf16 as on GPUs, or auto for what this"
                            + " processor does faster (default).")
    private ActivationType activations;

    VisionPrecision vision() {
        return vision.precision();
    }

    LoadOptions of(LoadOptions options) {
        return options.precision(precision)
                .visionPrecision(vision())
                .kvCache(kvCache)
                .activations(activations);
    }
}
