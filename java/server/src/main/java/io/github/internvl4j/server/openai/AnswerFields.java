package io.github.internvl4j.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.error.InvalidOptionException;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How a request wants its answer; null is the setting of whoever answers.
 *
 * @param path of the request's body, in front of the fields' names
 * @param longestName which of its two names {@code longest} has
 * @param longest tokens
 * @param shortest tokens before the answer may stop
 * @param stopTokens ids that end the answer, besides the model's own
 * @param topLogprobs what the engine is asked for: at least 1 where the request wants any
 */
public record AnswerFields(
        Fields path,
        String longestName,
        @Nullable Integer longest,
        @Nullable Integer shortest,
        DrawFields draw,
        @Nullable List<String> stop,
        @Nullable List<Integer> stopTokens,
        int topLogprobs) {
    /** The names of them all. */
    public static final List<String> NAMES = Stream.concat(
                    Stream.of(
                            "max_tokens",
                            "max_completion_tokens",
                            "min_tokens",
                            "stop",
                            "stop_token_ids",
                            "logprobs",
                            "top_logprobs"),
                    DrawFields.NAMES.stream())
            .toList();

    /** Reads a chat completion's. */
    public static AnswerFields of(Fields body) {
        return of(body, logprobs(body));
    }

    /**
     * Reads all but how many alternatives are wanted, which requests for completions say in another way.
     *
     * @param topLogprobs what the engine is asked for
     */
    public static AnswerFields of(Fields body, int topLogprobs) {
        Integer longest = body.count("max_completion_tokens");
        Integer older = body.count("max_tokens");
        if (longest != null && older != null && !longest.equals(older)) {
            String both =
                    "the fields " + body.path("max_tokens") + " and " + body.path("max_completion_tokens") + " differ";
            throw new FieldException(body.path("max_completion_tokens"), both);
        }
        return new AnswerFields(
                body,
                longest == null ? "max_tokens" : "max_completion_tokens",
                longest == null ? older : longest,
                body.count("min_tokens"),
                DrawFields.of(body),
                stop(body),
                body.list("stop_token_ids", "an array of token ids", Fields.Entry::count),
                topLogprobs);
    }

    private static @Nullable List<String> stop(Fields body) {
        JsonNode value = body.get("stop");
        if (value != null && !value.isTextual() && !value.isArray()) {
            throw body.wrong("stop", "a string or an array of strings", value);
        }
        return value != null && value.isTextual() ? List.of(value.textValue()) : body.texts("stop");
    }

    /** The engine gives log-probabilities with at least one alternative; the answer leaves out those not asked for. */
    private static int logprobs(Fields body) {
        Integer most = body.count("top_logprobs");
        boolean asked = Boolean.TRUE.equals(body.flag("logprobs"));
        if (most != null && most > 0 && !asked) {
            throw new FieldException(
                    body.path("top_logprobs"),
                    "the field " + body.path("top_logprobs") + " needs " + body.path("logprobs") + " to be true");
        }
        return asked ? Math.max(1, most == null ? 0 : most) : 0;
    }

    /**
     * With what the request says.
     *
     * @throws FieldException if a value is out of its range
     */
    public GenerationConfig config(GenerationConfig base) {
        try {
            GenerationConfig config = base.topLogprobs(0);
            config = longest == null ? config : config.maxNewTokens(longest);
            config = shortest == null ? config : config.minNewTokens(shortest);
            config = draw.config(config);
            config = stop == null ? config : config.stopStrings(stop.toArray(new String[0]));
            config = stopTokens == null ? config : config.stopTokens(stopTokens.toArray(new Integer[0]));
            return config.topLogprobs(topLogprobs);
        } catch (InvalidOptionException e) {
            throw named(e);
        }
    }

    /** The library's message begins with the option's name in Java: {@code maxNewTokens is 0, expected at least 1}. */
    private FieldException named(InvalidOptionException failure) {
        String message = String.valueOf(failure.getMessage());
        int space = Math.max(0, message.indexOf(' '));
        String option = message.substring(0, space);
        String field = path.path(
                switch (option) {
                    case "maxNewTokens" -> longestName;
                    case "minNewTokens" -> "min_tokens";
                    case "stopStrings" -> "stop";
                    case "stopTokens" -> "stop_token_ids";
                    default -> option.replaceAll("([a-z])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
                });
        return new FieldException(field, "field " + field + message.substring(space), failure);
    }
}
