package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.StructuredChatCompletion;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Answers that are JSON, or calls of tools. What they satisfy is another validator's to say. */
class StructuredTest {
    private static final Fixture fixture = new Fixture();
    private static final OpenAIClient client = OpenAIOkHttpClient.builder()
            .baseUrl(fixture.uri("/v1").toString())
            .apiKey("none-is-needed")
            .maxRetries(0)
            .build();
    private static final List<String> SCHEMAS = List.of("""
            {"type": "object", "properties": {"shape": {"enum": ["circle", "square"]}, "sides": {"type": "integer", "minimum": 0, "maximum": 12},
             "note": {"type": ["string", "null"], "maxLength": 12}}, "required": ["shape", "sides", "note"], "additionalProperties": false}""", """
            {"type": "array", "items": {"$ref": "#/$defs/pair"}, "minItems": 1, "maxItems": 2, "$defs": {
             "pair": {"type": "array", "prefixItems": [{"type": "boolean"}, {"type": "number", "minimum": 0.5, "maximum": 1.5}], "items": false, "minItems": 2}}}""", """
            {"oneOf": [{"type": "object", "properties": {"kind": {"const": "a"}, "x": {"type": "string", "pattern": "^[a-c]{2,5}$"}},
              "required": ["kind", "x"], "additionalProperties": false},
             {"type": "object", "properties": {"kind": {"const": "b"}, "day": {"type": "string", "format": "date"}},
              "required": ["kind", "day"], "additionalProperties": false}]}""");

    private static final String TOOLS = """
            , "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties":
              {"city": {"$ref": "#/$defs/city"}}, "required": ["city"], "additionalProperties": false, "$defs": {"city": {"type": "string", "maxLength": 9}}}}},
             {"type": "function", "function": {"name": "stop", "parameters": {"type": "object", "additionalProperties": false}}}]""";

    @AfterAll
    static void end() {
        client.close();
        fixture.close();
    }

    /** What a class becomes as a strict schema. */
    public static class Shape {
        public String name = "";
        public boolean round;
        public List<Integer> sides = List.of();
    }

    private static String format(String schema) {
        return ", \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"a\", \"strict\": true, \"schema\": "
                + schema + "}}";
    }

    @Test
    void answersSatisfyTheirSchemas() throws Exception {
        for (String schema : SCHEMAS) {
            JsonSchema validator = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                    .getSchema(schema);
            String more = ", \"n\": 8, \"temperature\": 1.5, \"seed\": 3, \"max_tokens\": 200" + format(schema);
            JsonNode answer = fixture.answer("/v1/chat/completions", Fixture.question("What is there?", more));
            int whole = 0;
            for (JsonNode choice : answer.get("choices")) {
                if (choice.get("finish_reason").asText().equals("stop")) {
                    whole++;
                    String text = choice.at("/message/content").asText();
                    assertTrue(validator.validate(Fixture.JSON.readTree(text)).isEmpty(), () -> schema + "\n" + text);
                }
            }
            assertTrue(whole >= 6, answer::toString);
        }
    }

    @Test
    void aStreamIsThePlainAnswer() throws Exception {
        String more = ", \"max_tokens\": 60" + format(SCHEMAS.get(0));
        String body = Fixture.question("What is there?", more);
        String plain = fixture.answer("/v1/chat/completions", body)
                .at("/choices/0/message/content")
                .asText();
        StringBuilder streamed = new StringBuilder();
        String events = fixture.post(
                        "/v1/chat/completions", body.replace("\"max_tokens\"", "\"stream\": true, \"max_tokens\""))
                .body();
        for (String event : Fixture.events(events)) {
            if (event.startsWith("data: {")) {
                streamed.append(Fixture.JSON
                        .readTree(event.substring(6))
                        .at("/choices/0/delta/content")
                        .asText());
            }
        }
        assertEquals(plain, streamed.toString());
        assertTrue(plain.startsWith("{"), plain);
    }

    @Test
    void anyObject() throws Exception {
        JsonNode answer = fixture.answer(
                "/v1/chat/completions",
                Fixture.question("Hello", ", \"max_tokens\": 40, \"response_format\": {\"type\": \"json_object\"}"));
        assertTrue(answer.at("/choices/0/message/content").asText().startsWith("{"), answer::toString);
    }

    @Test
    void aClassOfTheClientIsASchema() {
        StructuredChatCompletion<Shape> answer = client.chat()
                .completions()
                .create(ChatCompletionCreateParams.builder()
                        .model(Fixture.NAME)
                        .addUserMessage("Which shape is it?")
                        .temperature(1.0)
                        .maxCompletionTokens(400)
                        .responseFormat(Shape.class)
                        .build());
        assertFalse(answer.choices().isEmpty());
    }

    /** A question with the tools, of which one is named. */
    private static ChatCompletionCreateParams asked() throws Exception {
        JsonNode more = Fixture.JSON.readTree("{" + TOOLS.stripLeading().substring(1) + "}");
        JsonNode named = Fixture.JSON.readTree("{\"type\": \"function\", \"function\": {\"name\": \"weather\"}}");
        return ChatCompletionCreateParams.builder()
                .model(Fixture.NAME)
                .addUserMessage("How is the weather?")
                .maxCompletionTokens(120)
                .putAdditionalBodyProperty("tools", JsonValue.from(more.get("tools")))
                .putAdditionalBodyProperty("tool_choice", JsonValue.from(named))
                .build();
    }

    private static ChatCompletionMessageFunctionToolCall called(ChatCompletion answer) {
        return answer.choices()
                .get(0)
                .message()
                .toolCalls()
                .orElseThrow()
                .get(0)
                .asFunction();
    }

    private static void expectCall(ChatCompletion answer) throws Exception {
        ChatCompletion.Choice choice = answer.choices().get(0);
        assertEquals(ChatCompletion.Choice.FinishReason.TOOL_CALLS, choice.finishReason());
        assertTrue(choice.message().content().isEmpty());
        ChatCompletionMessageFunctionToolCall call = called(answer);
        JsonNode arguments = Fixture.JSON.readTree(call.function().arguments());
        assertEquals("weather", call.function().name());
        assertEquals(1, arguments.size());
        assertTrue(arguments.get("city").asText().length() <= 9);
    }

    @Test
    void toolsAreCalledPlainAndStreamed() throws Exception {
        ChatCompletion plain = client.chat().completions().create(asked());
        expectCall(plain);
        ChatCompletionAccumulator whole = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(asked())) {
            stream.stream().forEach(whole::accumulate);
        }
        expectCall(whole.chatCompletion());
        assertEquals(called(plain).function(), called(whole.chatCompletion()).function());
    }

    @Test
    void aRequiredCallIsOneOfTheTools() throws Exception {
        String body = Fixture.question(
                "Hello",
                ", \"tool_choice\": \"required\", \"temperature\": 1, \"n\": 8, \"seed\": 1, \"max_tokens\": 200"
                        + TOOLS);
        int calls = 0;
        for (JsonNode choice : fixture.answer("/v1/chat/completions", body).get("choices")) {
            if (choice.get("finish_reason").asText().equals("tool_calls")) {
                calls++;
                JsonNode function = choice.at("/message/tool_calls/0/function");
                assertTrue(
                        List.of("weather", "stop").contains(function.get("name").asText()), function::toString);
                assertTrue(Fixture.JSON
                        .readTree(function.get("arguments").asText())
                        .isObject());
            }
        }
        assertTrue(calls >= 4, "only " + calls + " calls were whole");
    }

    @Test
    void withoutAChoiceToolsChangeNothing() throws Exception {
        String plain = Fixture.question("Hello", ", \"max_tokens\": 8");
        String beside = Fixture.question("Hello", ", \"max_tokens\": 8" + TOOLS);
        assertEquals(
                fixture.answer("/v1/chat/completions", plain).at("/choices/0/message"),
                fixture.answer("/v1/chat/completions", beside).at("/choices/0/message"));
    }

    @Test
    void aConversationWithCallsGoesOn() throws Exception {
        String body = """
                {"model": "demo", "max_tokens": 4, "messages": [{"role": "user", "content": "Weather?"},
                 {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]},
                 {"role": "tool", "tool_call_id": "1", "content": "sunny"}]}""";
        JsonNode rendered = fixture.answer("/v1/chat/completions/render", body);
        String prompt = rendered.get("prompt").asText();
        assertTrue(prompt.contains("{\"name\": \"weather\", \"arguments\": {}}") && prompt.contains("sunny"), prompt);
        assertEquals(200, fixture.post("/v1/chat/completions", body).statusCode());
    }
}
