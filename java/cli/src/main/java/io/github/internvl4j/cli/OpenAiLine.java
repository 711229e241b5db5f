package io.github.internvl4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.server.openai.AnswerFields;
import io.github.internvl4j.server.openai.Fields;
import io.github.internvl4j.server.openai.Messages;
import io.github.internvl4j.server.openai.OneWay;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A request for a chat completion, in the form of OpenAI's batches. What it asks for and we cannot do is refused by name. */
record OpenAiLine(Messages messages, AnswerFields settings) implements BatchLine {
    private static final String URL = "/v1/chat/completions";
    private static final List<String> FIELDS = List.of("custom_id", "method", "url", "body");

    /** What we do as they say. Some are vLLM's. */
    private static final List<String> DONE =
            Stream.concat(Stream.of("messages"), AnswerFields.NAMES.stream()).toList();

    /** What says nothing about the answer. */
    private static final List<String> PASSED_OVER =
            List.of("model", "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key");

    /** What we do one way only, the usual one. */
    private static final OneWay ONE_WAY = OneWay.TEXT
            .and("n", "1", value -> value.isIntegralNumber() && value.asLong() == 1)
            .and("stream", "false", value -> value.isBoolean() && !value.booleanValue());

    static OpenAiLine of(JsonNode object) {
        Fields line = Fields.of(object, "");
        line.only(FIELDS);
        line.requiredText("custom_id");
        require(line, "method", "POST");
        require(line, "url", URL);
        Fields body = Fields.of(line.required("body"), "body");
        List<String> others = new ArrayList<>(PASSED_OVER);
        ONE_WAY.names().forEach(others::add);
        body.only(DONE, others);
        ONE_WAY.require(body);
        return new OpenAiLine(Messages.of(body, true), AnswerFields.of(body));
    }

    private static void require(Fields line, String name, String expected) {
        String value = line.text(name);
        if (value != null && !value.equals(expected)) {
            throw line.wrong(name, expected, line.required(name));
        }
    }

    @Override
    public Prompt prompt(Media media, InputRules rules) {
        return rules.of(messages.prompt(media, rules.specialTokens(), Messages.Placement.USUAL));
    }

    @Override
    public boolean thinking(boolean command) {
        return command;
    }

    @Override
    public GenerationConfig config(GenerationConfig base) {
        return settings.config(base);
    }
}
