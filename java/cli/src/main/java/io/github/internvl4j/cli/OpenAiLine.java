package io.github.internvl4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.PromptException;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A request for a chat completion, in the form of OpenAI's batches. What it asks for and we cannot do is refused by name. */
record OpenAiLine(OpenAiMessages messages, Settings settings) implements BatchLine {
    private static final String URL = "/v1/chat/completions";
    private static final List<String> FIELDS = List.of("custom_id", "method", "url", "body");

    /** What we do as they say. Some are vLLM's. */
    private static final List<String> DONE = Stream.concat(
                    Stream.of("messages", "max_tokens", "max_completion_tokens", "stop", "logprobs", "top_logprobs"),
                    DrawFields.NAMES.stream())
            .toList();

    /** What says nothing about the answer. */
    private static final List<String> PASSED_OVER = List.of(
            "model", "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key");

    /** What we do one way only, the usual one. */
    private static final Map<String, Only> ONE_WAY = Map.of(
            "n", new Only("1", value -> value.isIntegralNumber() && value.asLong() == 1),
            "stream", new Only("false", value -> value.isBoolean() && !value.booleanValue()),
            "tools", new Only("none", value -> value.isArray() && value.isEmpty()),
            "tool_choice", new Only("\"auto\" or \"none\"", value -> List.of("auto", "none").contains(value.asText())),
            "response_format", new Only("{\"type\": \"text\"}", value -> value.path("type").asText().equals("text")),
            "modalities", new Only("[\"text\"]", value -> value.size() == 1 && value.path(0).asText().equals("text")));

    /** The one value that can be done. */
    private record Only(String value, Predicate<JsonNode> holds) {}

    /** How it is answered; null is the command's own setting. */
    private record Settings(
            String longestName,
            @Nullable Integer longest,
            DrawFields draw,
            @Nullable List<String> stop,
            int topLogprobs) {}

    static OpenAiLine of(JsonNode object) {
        Fields line = Fields.of(object, "");
        line.only(FIELDS);
        line.requiredText("custom_id");
        require(line, "method", "POST");
        require(line, "url", URL);
        Fields body = Fields.of(line.required("body"), "body");
        List<String> known = Stream.of(DONE, PASSED_OVER, ONE_WAY.keySet().stream().sorted().toList())
                .flatMap(List::stream)
                .toList();
        body.only(known);
        ONE_WAY.forEach((name, only) -> {
            JsonNode value = body.get(name);
            if (value != null && !only.holds().test(value)) {
                throw body.wrong(name, only.value() + ", which is all that can be done", value);
            }
        });
        return new OpenAiLine(OpenAiMessages.of(body), settings(body));
    }

    private static void require(Fields line, String name, String expected) {
        String value = line.text(name);
        if (value != null && !value.equals(expected)) {
            throw line.wrong(name, expected, line.required(name));
        }
    }

    private static Settings settings(Fields body) {
        Integer longest = body.count("max_completion_tokens");
        Integer older = body.count("max_tokens");
        if (longest != null && older != null && !longest.equals(older)) {
            throw new PromptException("the fields body.max_tokens and body.max_completion_tokens differ");
        }
        return new Settings(
                longest == null ? "max_tokens" : "max_completion_tokens",
                longest == null ? older : longest,
                DrawFields.of(body),
                stop(body),
                logprobs(body));
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
            throw new PromptException("the field body.top_logprobs needs body.logprobs to be true");
        }
        return asked ? Math.max(1, most == null ? 0 : most) : 0;
    }

    @Override
    public Prompt prompt(Media media, InputRules rules) {
        return rules.of(messages.prompt(media, rules.specialTokens()));
    }

    @Override
    public boolean thinking(boolean command) {
        return command;
    }

    @Override
    public GenerationConfig config(GenerationConfig base) {
        GenerationConfig config = base.topLogprobs(0);
        Settings s = settings;
        try {
            config = s.longest == null ? config : config.maxNewTokens(s.longest);
            config = s.draw.config(config);
            config = s.stop == null ? config : config.stopStrings(s.stop.toArray(new String[0]));
            return config.topLogprobs(s.topLogprobs);
        } catch (InvalidOptionException e) {
            String message = OptionNames.inLine(e).replaceFirst("^max_new_tokens ", s.longestName + " ");
            throw new PromptException("field body." + message, e);
        }
    }
}
