package io.github.internvl4j.cli;

import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
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

    @Option(names = "--temperature", paramLabel = "X", description = "0 is greedy (default; with thinking it is 0.6).")
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
            names = "--min-p",
            defaultValue = "0",
            paramLabel = "X",
            description = "Draw from tokens at least X times as probable as the likeliest; 0: all (default).")
    private float minP;

    @Option(
            names = "--frequency-penalty",
            defaultValue = "0",
            paramLabel = "X",
            description = "Taken from a token's logit for each time the answer has it (default: 0).")
    private float frequencyPenalty;

    @Option(
            names = "--presence-penalty",
            defaultValue = "0",
            paramLabel = "X",
            description = "Taken from a token's logit if the answer has it (default: 0).")
    private float presencePenalty;

    @Option(names = "--logit-bias", paramLabel = "ID=X", description = "Added to a token's logit; may be given again.")
    private Map<Integer, Float> logitBias = Map.of();

    @Option(
            names = "--min-new-tokens",
            defaultValue = "0",
            paramLabel = "N",
            description = "No stop token before so many (default: 0).")
    private int minNewTokens;

    @Option(
            names = "--beams",
            defaultValue = "1",
            paramLabel = "N",
            description = "Follow the N likeliest answers together, 1 to 32; the best comes at its end (default: 1).")
    private int beams;

    @Option(
            names = "--length-penalty",
            defaultValue = "1",
            paramLabel = "X",
            description = "With beams: divide by the length to this power before they are compared (default: 1).")
    private float lengthPenalty;

    @Option(
            names = "--no-guessing",
            description =
                    "Never guess tokens from what was said before; answers are the same, and slower where they quote.")
    private boolean noGuessing;

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
            names = "--json-schema",
            paramLabel = "FILE",
            description =
                    "The answer is JSON that satisfies the schema in this file; {\"type\": \"object\"} is any object.")
    private @Nullable Path jsonSchema;

    @Option(
            names = "--top-logprobs",
            defaultValue = "0",
            paramLabel = "N",
            description = "In JSON, log-probabilities and the N best alternatives of each token, 0 to 64.")
    private int topLogprobs;

    @Mixin
    private AdapterOptions adapters;

    /** Loads the adapters, which {@link #config} has from then on. */
    AdapterOptions.Loaded load(InternVL model) {
        return adapters.load(model);
    }

    /**
     * The settings; without a seed each call draws one.
     *
     * @param thinking whether the model thinks, which has a temperature of its own where none is given
     * @throws UncheckedIOException if the schema's file cannot be read
     */
    GenerationConfig config(boolean thinking) {
        GenerationConfig base = thinking ? GenerationConfig.thinking() : GenerationConfig.defaults();
        GenerationConfig config = base.maxNewTokens(maxNewTokens)
                .temperature(temperature == null ? base.temperature() : temperature)
                .topK(topK)
                .topP(topP)
                .minP(minP)
                .frequencyPenalty(frequencyPenalty)
                .presencePenalty(presencePenalty)
                .logitBias(logitBias)
                .minNewTokens(minNewTokens)
                .guessing(!noGuessing)
                .lengthPenalty(lengthPenalty)
                .repetitionPenalty(repetitionPenalty)
                // Short enough to be typed again, and to survive as a number of JSON.
                .seed(seed == null ? RANDOM.nextInt(Integer.MAX_VALUE) : seed)
                .stopStrings(stop.toArray(new String[0]))
                .topLogprobs(topLogprobs)
                .beams(beams);
        return adapters.of(jsonSchema == null ? config : config.jsonSchema(text(jsonSchema)));
    }

    private static String text(Path file) {
        try {
            return Utf8.decode(Files.readAllBytes(file), file.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
