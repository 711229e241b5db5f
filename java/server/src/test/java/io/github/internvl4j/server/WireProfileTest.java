package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The stream's shape to the byte, and that answers are those of the library. */
class WireProfileTest {
    private static final String ASKED = "Please describe the image in detail.";

    @RegisterExtension
    static final Fixture fixture = new Fixture();

    private static List<JsonNode> chunks(String body) throws IOException {
        List<String> events = Fixture.events(body);
        assertEquals("data: [DONE]", events.get(events.size() - 1));
        List<JsonNode> chunks = new ArrayList<>();
        for (String event : events.subList(0, events.size() - 1)) {
            assertTrue(event.startsWith("data: {"), event);
            chunks.add(Fixture.JSON.readTree(event.substring("data: ".length())));
        }
        return chunks;
    }

    private static Reply alone(String question, GenerationConfig config) {
        Image image = Image.read(Fixture.DEMO.resolve("samples/three.jpg"));
        return Fixture.MODEL.generate(Prompt.of(question, image).specialTokens(SpecialTokens.LITERAL), config);
    }

    @Test
    void aStreamHasTheShapeThatAllClientsBear() throws Exception {
        String body = Fixture.question(
                ASKED, Fixture.image("three.jpg"), ", \"stream\": true, \"stream_options\": {\"include_usage\": true}");
        HttpResponse<String> response = fixture.post("/v1/chat/completions", body);
        assertEquals(200, response.statusCode());
        assertTrue(response.headers().firstValue("Content-Type").orElse("").startsWith("text/event-stream"));
        List<JsonNode> chunks = chunks(response.body());
        assertEquals(
                "{\"role\":\"assistant\",\"content\":\"\"}",
                chunks.get(0).at("/choices/0/delta").toString());
        JsonNode usage = chunks.get(chunks.size() - 1);
        JsonNode finish = chunks.get(chunks.size() - 2);
        assertEquals("[]", usage.get("choices").toString());
        assertEquals("{}", finish.at("/choices/0/delta").toString());
        assertEquals("stop", finish.at("/choices/0/finish_reason").asText());
        StringBuilder text = new StringBuilder();
        for (JsonNode chunk : chunks.subList(0, chunks.size() - 1)) {
            assertEquals(usage.get("id"), chunk.get("id"));
            assertEquals("chat.completion.chunk", chunk.get("object").asText());
            assertEquals("demo", chunk.get("model").asText());
            assertTrue(chunk.get("usage").isNull());
            assertEquals(chunk != finish, chunk.at("/choices/0/finish_reason").isNull());
            text.append(chunk.at("/choices/0/delta/content").asText());
        }
        chunks.subList(1, chunks.size() - 2)
                .forEach(chunk -> assertNull(chunk.at("/choices/0/delta").get("role")));
        Reply alone = alone(ASKED, GenerationConfig.defaults());
        assertEquals(alone.text(), text.toString());
        assertEquals(
                alone.promptTokens().size(), usage.at("/usage/prompt_tokens").asInt());
        assertEquals(alone.tokens().size(), usage.at("/usage/completion_tokens").asInt());
    }

    @Test
    void choicesAreRequestsOfSeedsInARow() throws Exception {
        String drawn =
                ", \"temperature\": 4, \"seed\": 7, \"n\": 3, \"max_tokens\": 30, \"logprobs\": true, \"top_logprobs\": 2";
        JsonNode plain =
                fixture.answer("/v1/chat/completions", Fixture.question(ASKED, Fixture.image("three.jpg"), drawn));
        List<JsonNode> chunks = chunks(fixture.post(
                        "/v1/chat/completions",
                        Fixture.question(ASKED, Fixture.image("three.jpg"), drawn + ", \"stream\": true"))
                .body());
        for (int i = 0; i < 3; i++) {
            assertEquals("assistant", chunks.get(i).at("/choices/0/delta/role").asText());
            assertEquals(i, chunks.get(i).at("/choices/0/index").asInt());
            Reply alone = alone(
                    ASKED, GenerationConfig.sampling(4, 7 + i).maxNewTokens(30).topLogprobs(2));
            JsonNode choice = plain.get("choices").get(i);
            assertEquals(alone.text(), choice.at("/message/content").asText());
            StringBuilder text = new StringBuilder();
            List<Float> streamed = new ArrayList<>();
            for (JsonNode chunk : chunks) {
                if (chunk.at("/choices/0/index").asInt() == i) {
                    text.append(chunk.at("/choices/0/delta/content").asText());
                    chunk.at("/choices/0/logprobs/content")
                            .forEach(token -> streamed.add(token.get("logprob").floatValue()));
                }
            }
            assertEquals(alone.text(), text.toString());
            JsonNode tokens = choice.at("/logprobs/content");
            assertEquals(alone.tokens().size(), tokens.size());
            for (int j = 0; j < tokens.size(); j++) {
                assertEquals(
                        alone.logprobs().get(j).logprob(),
                        tokens.get(j).get("logprob").floatValue());
                assertEquals(alone.logprobs().get(j).logprob(), streamed.get(j));
                assertEquals(2, tokens.get(j).get("top_logprobs").size());
            }
        }
        assertNotEquals(plain.at("/choices/0/message/content"), plain.at("/choices/1/message/content"));
    }

    @Test
    void everySamplingFieldIsTheLibrarys() throws Exception {
        String fields =
                ", \"temperature\": 1.2, \"top_k\": 50, \"top_p\": 0.9, \"min_p\": 0.01, \"repetition_penalty\": 1.1,"
                        + " \"frequency_penalty\": 0.5, \"presence_penalty\": 0.25, \"logit_bias\": {\"5\": -100, \"6\": 1.5}, \"seed\": 3,"
                        + " \"stop\": [\"zebra\"], \"max_completion_tokens\": 40, \"stream\": false, \"user\": \"u\", \"what_is_this\": {}";
        GenerationConfig config = GenerationConfig.sampling(1.2f, 3)
                .topK(50)
                .topP(0.9f)
                .minP(0.01f)
                .repetitionPenalty(1.1f)
                .frequencyPenalty(0.5f)
                .presencePenalty(0.25f)
                .logitBias(java.util.Map.of(5, -100f, 6, 1.5f))
                .stopStrings("zebra")
                .maxNewTokens(40);
        JsonNode plain =
                fixture.answer("/v1/chat/completions", Fixture.question(ASKED, Fixture.image("three.jpg"), fields));
        Reply alone = alone(ASKED, config);
        assertEquals(alone.text(), plain.at("/choices/0/message/content").asText());
        assertEquals(alone.tokens().size(), plain.at("/usage/completion_tokens").asInt());
    }

    @Test
    void stopsAndLengthsAreTold() throws Exception {
        JsonNode cut = fixture.answer(
                "/v1/chat/completions", Fixture.question(ASKED, Fixture.image("three.jpg"), ", \"max_tokens\": 3"));
        assertEquals("length", cut.at("/choices/0/finish_reason").asText());
        String whole = alone(ASKED, GenerationConfig.defaults()).text();
        String word = whole.split(" ")[3];
        JsonNode stopped = fixture.answer(
                "/v1/chat/completions",
                Fixture.question(ASKED, Fixture.image("three.jpg"), ", \"stop\": \"" + word + "\""));
        assertEquals("stop", stopped.at("/choices/0/finish_reason").asText());
        assertEquals(
                whole.substring(0, whole.indexOf(word)).strip(),
                stopped.at("/choices/0/message/content").asText());
    }

    @Test
    void messagesStandInThePromptAsTheyCame() throws Exception {
        String messages =
                "{\"messages\": [{\"role\": \"system\", \"content\": \"Be brief.\"}, {\"role\": \"user\", \"content\": \"One <|im_end|>\"},"
                        + " {\"role\": \"user\", \"content\": \"Two\"}, {\"role\": \"assistant\", \"content\": \"2\"}, {\"role\": \"assistant\","
                        + " \"content\": null}, {\"role\": \"developer\", \"content\": \"Now long.\"}, {\"role\": \"user\", \"content\": \"Three\"}]}";
        JsonNode told = fixture.answer("/v1/chat/completions/render", messages);
        assertEquals(
                "<|im_start|>system\nBe brief.<|im_end|><|im_start|>user\nOne <|im_end|><|im_end|><|im_start|>user\nTwo<|im_end|>"
                        + "<|im_start|>assistant\n2<|im_end|><|im_start|>assistant\n<|im_start|>system\nNow long.<|im_end|>"
                        + "<|im_start|>user\nThree<|im_end|><|im_start|>assistant\n",
                told.get("prompt").asText());
        int end = Fixture.MODEL.tokenizer().tokenId("<|im_end|>").orElseThrow();
        int marks = 0;
        for (JsonNode id : told.get("prompt_token_ids")) {
            marks += id.asInt() == end ? 1 : 0;
        }
        assertEquals(6, marks, "what a user types ends nothing");
        JsonNode turns = fixture.answer(
                "/v1/chat/completions/render",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"One\"},"
                        + " {\"role\": \"assistant\", \"content\": \"1\"}, {\"role\": \"user\", \"content\": \"Two\"}]}");
        assertEquals(
                Fixture.MODEL
                        .promptTokens(Prompt.of("Two").history(List.of(Turn.of("One", "1"))))
                        .toString(),
                turns.get("prompt_token_ids").toString().replace(",", ", "));
    }

    /** The JDK's client offers an upgrade with every request, which other servers answer by losing the body. */
    @Test
    void anUpgradeKeepsItsBody() throws Exception {
        HttpClient fresh = HttpClient.newHttpClient();
        String padding = "x".repeat(2_000_000);
        HttpRequest request = fixture.request("/v1/chat/completions")
                .POST(HttpRequest.BodyPublishers.ofString(
                        Fixture.question("Hello", ", \"metadata\": {\"a\": \"" + padding + "\"}")))
                .build();
        HttpResponse<String> response = fresh.send(request, HttpResponse.BodyHandlers.ofString());
        assertEquals(200, response.statusCode(), response.body());
        assertEquals(HttpClient.Version.HTTP_2, response.version());
        HttpClient old =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        assertEquals(
                HttpClient.Version.HTTP_1_1,
                old.send(request, HttpResponse.BodyHandlers.ofString()).version());
    }

    @Test
    void silenceIsBrokenByPings() throws Exception {
        Limits.Times often = Limits.Times.defaults().with(Limits.Wait.PING, Duration.ofMillis(1));
        try (Fixture pinging = new Fixture(Fixture.options(), often)) {
            String body = pinging.post(
                            "/v1/chat/completions",
                            Fixture.question("Hello", ", \"min_tokens\": 200, \"max_tokens\": 200, \"stream\": true"))
                    .body();
            assertTrue(body.contains("\n\n: ping\n\n") || body.startsWith(": ping\n\n"), body.substring(0, 200));
            assertFalse(chunks(body).isEmpty());
        }
    }

    @Test
    void aFailureInAStreamIsAnEventOfItsOwn() throws Exception {
        Limits.Times brief = Limits.Times.defaults().with(Limits.Wait.ANSWER, Duration.ofMillis(300));
        try (Fixture hurried = new Fixture(Fixture.options(), brief)) {
            List<String> events =
                    Fixture.events(hurried.post("/v1/chat/completions", Fixture.endless(", \"stream\": true"))
                            .body());
            String last = events.get(events.size() - 1);
            assertTrue(last.startsWith("event: error\ndata: {\"error\":{\"message\":"), last);
            assertTrue(last.contains("\"code\":\"deadline_exceeded\""), last);
            assertEquals(
                    504,
                    hurried.post("/v1/chat/completions", Fixture.endless("")).statusCode());
        }
    }
}
