package io.github.internvl4j.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Fields that are known and can be done one way only, the usual one: a request for another way is refused by name, not answered as
 * if it had not asked.
 */
public final class OneWay {
    /** Those of chat completions. */
    public static final OneWay CHAT = new OneWay()
            .and("functions", "none", value -> value.isArray() && value.isEmpty())
            .and(
                    "function_call",
                    "\"auto\" or \"none\"",
                    value -> value.asText().equals("auto") || value.asText().equals("none"))
            .and(
                    "modalities",
                    "[\"text\"]",
                    value -> value.size() == 1 && value.path(0).asText().equals("text"))
            .and("audio", "none", JsonNode::isNull)
            .and("prediction", "none", JsonNode::isNull)
            .and("web_search_options", "none", JsonNode::isNull)
            .and("structured_outputs", "none", JsonNode::isNull)
            .and("guided_json", "none", JsonNode::isNull)
            .and("guided_regex", "none", JsonNode::isNull)
            .and("guided_choice", "none", JsonNode::isNull)
            .and("guided_grammar", "none", JsonNode::isNull)
            .and("prompt_logprobs", "none", JsonNode::isNull)
            .and("use_beam_search", "false", value -> value.isBoolean() && !value.booleanValue())
            .and("ignore_eos", "false", value -> value.isBoolean() && !value.booleanValue())
            .and("skip_special_tokens", "true", JsonNode::booleanValue)
            .and("length_penalty", "1", value -> value.isNumber() && value.doubleValue() == 1)
            .and("best_of", "1", value -> value.isIntegralNumber() && value.asLong() == 1);

    /** Those of chat completions where an answer is text, whatever it says. */
    public static final OneWay TEXT = CHAT.and("tools", "none", value -> value.isArray() && value.isEmpty())
            .and(
                    "tool_choice",
                    "\"auto\" or \"none\"",
                    value -> value.asText().equals("auto") || value.asText().equals("none"))
            .and(
                    "response_format",
                    "{\"type\": \"text\"}",
                    value -> value.path("type").asText().equals("text"));

    /** Those of completions. */
    public static final OneWay COMPLETIONS = TEXT.and(
                    "echo", "false", value -> value.isBoolean() && !value.booleanValue())
            .and("suffix", "none", value -> value.asText().isEmpty() && value.isTextual());

    private final Map<String, Only> fields;

    /** The one value that can be done. */
    private record Only(String value, Predicate<JsonNode> holds) {}

    private OneWay() {
        fields = new TreeMap<>();
    }

    private OneWay(Map<String, Only> fields) {
        this.fields = fields;
    }

    /**
     * With another field.
     *
     * @param value what messages call the one way
     * @param holds whether a value, which is not null, says it
     */
    public OneWay and(String name, String value, Predicate<JsonNode> holds) {
        Map<String, Only> more = new TreeMap<>(fields);
        more.put(name, new Only(value, holds));
        return new OneWay(more);
    }

    /** The fields' names. */
    public Iterable<String> names() {
        return fields.keySet();
    }

    /** @throws FieldException naming the first field that asks for another way */
    public void require(Fields body) {
        fields.forEach((name, only) -> {
            JsonNode value = body.get(name);
            if (value != null && !only.holds().test(value)) {
                throw body.wrong(name, only.value() + ", which is all that can be done", value);
            }
        });
    }
}
