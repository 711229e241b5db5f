package io.github.internvl4j.server.openai;

import io.github.internvl4j.GenerationConfig;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How a request wants its answer drawn, under the names that OpenAI and vLLM use; null is the setting of whoever answers.
 *
 * @param topK 0 for all, as vLLM's -1
 */
public record DrawFields(
        @Nullable Float temperature,
        @Nullable Integer topK,
        @Nullable Float topP,
        @Nullable Float minP,
        @Nullable Float repetitionPenalty,
        @Nullable Float frequencyPenalty,
        @Nullable Float presencePenalty,
        @Nullable Map<Integer, Float> logitBias,
        @Nullable Long seed) {
    /** The names of them all. */
    public static final List<String> NAMES = List.of(
            "temperature",
            "top_k",
            "top_p",
            "min_p",
            "repetition_penalty",
            "frequency_penalty",
            "presence_penalty",
            "logit_bias",
            "seed");

    /** Reads them. */
    public static DrawFields of(Fields fields) {
        return new DrawFields(
                fields.small("temperature"),
                topK(fields),
                fields.small("top_p"),
                fields.small("min_p"),
                fields.small("repetition_penalty"),
                fields.small("frequency_penalty"),
                fields.small("presence_penalty"),
                logitBias(fields),
                fields.whole("seed"));
    }

    private static @Nullable Integer topK(Fields fields) {
        Integer most = fields.count("top_k");
        return most != null && most == -1 ? Integer.valueOf(0) : most;
    }

    private static @Nullable Map<Integer, Float> logitBias(Fields fields) {
        Fields biases = fields.object("logit_bias");
        if (biases == null) {
            return null;
        }
        Map<Integer, Float> all = new TreeMap<>();
        for (String token : biases.names()) {
            Float bias = biases.small(token);
            if (!token.matches("\\d{1,9}") || bias == null) {
                throw biases.wrong(token, "the id of a token with a number", biases.required(token));
            }
            all.put(Integer.valueOf(token), bias);
        }
        return all;
    }

    /** With what the request says. */
    public GenerationConfig config(GenerationConfig base) {
        GenerationConfig config = base;
        config = temperature == null ? config : config.temperature(temperature);
        config = topK == null ? config : config.topK(topK);
        config = topP == null ? config : config.topP(topP);
        config = minP == null ? config : config.minP(minP);
        config = repetitionPenalty == null ? config : config.repetitionPenalty(repetitionPenalty);
        config = frequencyPenalty == null ? config : config.frequencyPenalty(frequencyPenalty);
        config = presencePenalty == null ? config : config.presencePenalty(presencePenalty);
        config = logitBias == null ? config : config.logitBias(logitBias);
        return seed == null ? config : config.seed(seed);
    }
}
