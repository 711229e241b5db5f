package io.github.internvl4j.cli;

import io.github.internvl4j.GenerationConfig;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How answers are drawn. Greedy unless a temperature is given, or the model thinks. */
final class SamplingOptions {
    private static final Random RANDOM = new Random();

    @Option(
            names = "--max-new-tokens",
            defaultValue = "1024",
            paramLabel = "N",
            description = "Longest answer (default: ${DEFAULT-VALUE}).")
    private int maxNewTokens;

    @Option(
            names = "--temperature",
            paramLabel = "X",
            description = "0 is greedy (default; with thinking it is 0.6).")
    private @Nullable Float temperature;

    @Option(
            names = "--top-k",
            defaultValue = "0",
            paramLabel = "N",
            description = "Draw from the N most likely; 0: all (default).")
    private int topK;

    @Option(
            names = "--top-p",
            defaultValue = "1",
            paramLabel = "X",
            description = "Draw from the most likely that reach X (default: 1).")
    private float topP;

    @Option(
            names = "--repetition-penalty",
            defaultValue = "1",
            paramLabel = "X",
            description = "Above 1 avoids repetition (default: 1).")
    private float repetitionPenalty;

    @Option(names = "--seed", paramLabel = "N", description = "Of the random numbers; random if not given.")
    private @Nullable Long seed;

    @Option(
            names = "--stop",
            parameterConsumer = Verbatim.class,
            paramLabel = "TEXT",
            description = "End the answer before this text; may be given again.")
    private List<String> stop = List.of();

    @Option(
            names = "--top-logprobs",
            defaultValue = "0",
            paramLabel = "N",
            description = "In JSON, log-probabilities and the N best alternatives of each token, 0 to 64.")
    private int topLogprobs;

    /**
     * The settings; without a seed each call draws one.
     *
     * @param thinking whether the model thinks, which has a temperature of its own where none is given
     */
    GenerationConfig config(boolean thinking) {
        GenerationConfig base = thinking ? GenerationConfig.thinking() : GenerationConfig.defaults();
        return base.maxNewTokens(maxNewTokens)
                .temperature(temperature == null ? base.temperature() : temperature)
                .topK(topK)
                .topP(topP)
                .repetitionPenalty(repetitionPenalty)
                // Short enough to be typed again, and to survive as a number of JSON.
                .seed(seed == null ? RANDOM.nextInt(Integer.MAX_VALUE) : seed)
                .stopStrings(stop.toArray(new String[0]))
                .topLogprobs(topLogprobs);
    }
}
