package io.github.internvl4j.cli;

import io.github.internvl4j.GenerationConfig;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How answers are drawn. Greedy unless a temperature is given. */
final class SamplingOptions {
    @Option(names = "--max-new-tokens", defaultValue = "1024", paramLabel = "N", description = "Longest answer (default: ${DEFAULT-VALUE}).")
    int maxNewTokens;

    @Option(names = "--temperature", defaultValue = "0", paramLabel = "X", description = "0 is greedy (default).")
    float temperature;

    @Option(names = "--top-k", defaultValue = "0", paramLabel = "N", description = "Draw from the N most likely; 0: all (default).")
    int topK;

    @Option(names = "--top-p", defaultValue = "1", paramLabel = "X", description = "Draw from the most likely that reach X (default: 1).")
    float topP;

    @Option(names = "--repetition-penalty", defaultValue = "1", paramLabel = "X", description = "Above 1 avoids repetition (default: 1).")
    float repetitionPenalty;

    @Option(names = "--seed", paramLabel = "N", description = "Of the random numbers; random if not given.")
    @Nullable Long seed;

    @Option(names = "--stop", paramLabel = "TEXT", description = "End the answer before this text; may be given again.")
    List<String> stop = List.of();

    @Option(names = "--top-logprobs", defaultValue = "0", paramLabel = "N", description = "With --json: alternatives at each token, 0 to 64.")
    int topLogprobs;

    /** One seed for the whole run: drawn once, told with --json. */
    private final long drawnSeed = new Random().nextLong();

    long seed() {
        return seed == null ? drawnSeed : seed;
    }

    GenerationConfig config() {
        return GenerationConfig.defaults()
                .maxNewTokens(maxNewTokens)
                .temperature(temperature)
                .topK(topK)
                .topP(topP)
                .repetitionPenalty(repetitionPenalty)
                .seed(seed())
                .stopStrings(stop.toArray(new String[0]))
                .topLogprobs(topLogprobs);
    }
}
