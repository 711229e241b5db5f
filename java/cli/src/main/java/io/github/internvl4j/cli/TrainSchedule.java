package io.github.internvl4j.cli;

import io.github.internvl4j.train.TrainOptions;
import picocli.CommandLine.Option;

/** How often, how fast and in what portions is learnt. The defaults are the original's script for LoRA. */
final class TrainSchedule {
    @Option(
            names = "--epochs",
            defaultValue = "1",
            paramLabel = "N",
            description = "How often the data is learnt (default: 1).")
    private int epochs;

    @Option(
            names = "--rate",
            defaultValue = "1e-5",
            paramLabel = "RATE",
            description = "Rate of learning at the end of the warm-up (default: 1e-5).")
    private double rate;

    @Option(
            names = "--warm-up",
            defaultValue = "0.03",
            paramLabel = "SHARE",
            description = "Share of the steps in which the rate grows from 0 (default: 0.03).")
    private double warmUp;

    @Option(names = "--decay", defaultValue = "0.05", paramLabel = "D", description = "AdamW's decay (default: 0.05).")
    private double decay;

    @Option(
            names = "--most-norm",
            defaultValue = "1",
            paramLabel = "NORM",
            description = "Gradients are scaled down to this norm; 0: never (default: 1).")
    private double mostNorm;

    @Option(
            names = "--micro-batch",
            defaultValue = "4",
            paramLabel = "N",
            description = "Samples that are computed together (default: 4).")
    private int microBatch;

    @Option(
            names = "--accumulation",
            defaultValue = "4",
            paramLabel = "N",
            description = "Micro-batches of a step (default: 4).")
    private int accumulation;

    @Option(
            names = "--max-length",
            defaultValue = "2048",
            paramLabel = "N",
            description = "Tokens of a sample; the rest is cut off (default: 2048).")
    private int maxLength;

    @Option(
            names = "--max-tiles",
            defaultValue = "0",
            paramLabel = "N",
            description = "Tiles of an image at most; 0: the checkpoint's (default).")
    private int maxTiles;

    @Option(
            names = "--seed",
            defaultValue = "42",
            paramLabel = "N",
            description = "Of order, pairs and --held-out (default: 42).")
    private long seed;

    TrainOptions of(TrainOptions options) {
        return options.epochs(epochs)
                .rate(rate)
                .warmUp(warmUp)
                .decay(decay)
                .mostNorm(mostNorm)
                .microBatch(microBatch)
                .accumulation(accumulation)
                .maxLength(maxLength)
                .maxTiles(maxTiles)
                .seed(seed);
    }
}
