package io.github.internvl4j.cli;

import io.github.internvl4j.train.Learning;
import io.github.internvl4j.train.TrainOptions;
import picocli.CommandLine.Option;

/** What of a checkpoint learns. */
final class TrainLearning {
    private static final String DEFAULT = " (default)";

    @Option(
            names = "--decoder",
            defaultValue = "lora",
            paramLabel = "WHAT",
            description = "What of the decoder learns: lora" + DEFAULT + ", all or nothing.")
    private Learning decoder;

    @Option(
            names = "--vision",
            defaultValue = "nothing",
            paramLabel = "WHAT",
            description = "What of the vision tower learns: nothing" + DEFAULT + ", lora or all.")
    private Learning vision;

    @Option(names = "--projector", description = "The projector learns, too.")
    private boolean projector;

    @Option(
            names = "--rank",
            defaultValue = "16",
            paramLabel = "R",
            description = "Rank of the decoder's pairs (default: 16). Alpha is twice the rank.")
    private int rank;

    @Option(
            names = "--vision-rank",
            defaultValue = "16",
            paramLabel = "R",
            description = "Rank of the vision tower's pairs (default: 16).")
    private int visionRank;

    TrainOptions of(TrainOptions options) {
        return options.decoder(decoder)
                .vision(vision)
                .projector(projector)
                .decoderRank(rank)
                .visionRank(visionRank);
    }

    /** Whether pairs are all that learns. */
    boolean pairsAlone() {
        return decoder != Learning.ALL && vision != Learning.ALL && !projector;
    }
}
