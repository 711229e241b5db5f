package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.video.VideoFrames;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The paths beside the chat, and who may ask them. */
class EndpointsTest {
    private static final String KEY = "first-secret-key";
    private static final List<String> PATHS =
            List.of("/", "/page.js", "/metrics", "/v1/models", "/v1/chat/completions", "/nowhere");

    @RegisterExtension
    static final Fixture fixture = new Fixture();

    @Test
    void modelsAndHealth() throws Exception {
        JsonNode models = Fixture.JSON.readTree(fixture.get("/v1/models").body());
        assertEquals("demo", models.at("/data/0/id").asText());
        assertEquals(
                "demo",
                Fixture.JSON
                        .readTree(fixture.get("/v1/models/demo").body())
                        .get("id")
                        .asText());
        assertEquals(404, fixture.get("/v1/models/other").statusCode());
        assertEquals(200, fixture.get("/health").statusCode());
        assertEquals(404, fixture.get("/../etc/passwd").statusCode());
        assertEquals(405, fixture.get("/v1/chat/completions").statusCode());
    }

    @Test
    void textsAndTokens() throws Exception {
        JsonNode tokens =
                fixture.answer("/tokenize", "{\"prompt\": \"Hello, who are you?\", \"return_token_strs\": true}");
        assertEquals(tokens.get("count").asInt(), tokens.get("tokens").size());
        assertEquals(tokens.get("count").asInt(), tokens.get("token_strs").size());
        JsonNode text = fixture.answer("/detokenize", "{\"tokens\": " + tokens.get("tokens") + "}");
        assertTrue(text.get("prompt").asText().contains("Hello, who are you?"), text.toString());
        assertEquals(
                400, fixture.post("/detokenize", "{\"tokens\": [1, 99999999]}").statusCode());
        String image = Fixture.question("What?", Fixture.image("two.jpg"), "");
        JsonNode rendered = fixture.answer("/v1/chat/completions/render", image);
        assertEquals(
                rendered.get("prompt_token_ids"),
                fixture.answer("/tokenize", image).get("tokens"));
        assertTrue(rendered.get("prompt").asText().contains("<img><IMG_CONTEXT>"));
    }

    @Test
    void completionsGoOnFromATextOrTokens() throws Exception {
        String more = ", \"max_tokens\": 12, \"logprobs\": 2}";
        JsonNode text = fixture.answer("/v1/completions", "{\"prompt\": \"The image shows\"" + more);
        JsonNode ids =
                fixture.answer("/tokenize", "{\"prompt\": \"The image shows\"}").get("tokens");
        JsonNode again = fixture.answer("/v1/completions", "{\"prompt\": " + ids + more);
        assertEquals(text.at("/choices/0/text"), again.at("/choices/0/text"));
        assertEquals(
                text.at("/usage/completion_tokens").asInt(),
                text.at("/choices/0/logprobs/tokens").size());
        String stream = fixture.post("/v1/completions", "{\"prompt\": \"The image shows\", \"stream\": true" + more)
                .body();
        StringBuilder parts = new StringBuilder();
        for (String event : Fixture.events(stream)) {
            if (!event.equals("data: [DONE]")) {
                parts.append(Fixture.JSON
                        .readTree(event.substring(6))
                        .at("/choices/0/text")
                        .asText());
            }
        }
        assertEquals(text.at("/choices/0/text").asText(), parts.toString());
        int image = Fixture.MODEL.tokenizer().tokenId("<IMG_CONTEXT>").orElseThrow();
        for (String refused : List.of("" + image, "1000000", "5, ".repeat(5000) + "5")) {
            for (String how : List.of("", ", \"stream\": true")) {
                HttpResponse<String> response =
                        fixture.post("/v1/completions", "{\"prompt\": [" + refused + "]" + how + "}");
                assertEquals(400, response.statusCode(), response.body());
            }
        }
    }

    @Test
    void aVideoIsItsFrames() throws Exception {
        Path film = Fixture.DEMO.resolve("samples/film.mp4");
        Prompt prompt;
        try (VideoFrames video = VideoFrames.open(film)) {
            prompt = Prompt.video("What happens?", video.sample(8)).specialTokens(SpecialTokens.LITERAL);
        }
        Reply expected = Fixture.MODEL.generate(prompt, GenerationConfig.greedy(20));
        String url = "data:video/mp4;base64," + Base64.getEncoder().encodeToString(Files.readAllBytes(film));
        JsonNode answer = fixture.answer(
                "/v1/chat/completions", Fixture.videoQuestion("What happens?", url, ", \"max_tokens\": 20"));
        assertEquals(expected.text(), answer.at("/choices/0/message/content").asText());
        assertEquals(
                expected.promptTokens().size(),
                answer.at("/usage/prompt_tokens").asInt());
    }

    @Test
    void metricsCountWhatWasAnswered() throws Exception {
        try (Fixture own = new Fixture()) {
            double before = LeavingTest.metric(own, "internvl4j:prompt_tokens_total");
            int prompt = 0;
            for (int i = 0; i < 3; i++) {
                prompt += own.answer("/v1/chat/completions", Fixture.question("Hello " + i, ""))
                        .at("/usage/prompt_tokens")
                        .asInt();
            }
            HttpResponse<String> text = own.get("/metrics");
            assertTrue(text.headers().firstValue("Content-Type").orElse("").startsWith("text/plain"));
            assertTrue(
                    text.body()
                            .contains(
                                    "internvl4j:request_success_total{finished_reason=\"stop\",model_name=\"demo\"} 3.0"),
                    text.body());
            assertTrue(
                    text.body()
                            .contains(
                                    "internvl4j:time_to_first_token_seconds_bucket{model_name=\"demo\",le=\"0.001\"}"),
                    text.body());
            assertEquals(before + prompt, LeavingTest.metric(own, "internvl4j:prompt_tokens_total"));
            assertEquals(0, LeavingTest.metric(own, "internvl4j:num_requests_running"));
            for (String name : List.of(
                    "kv_cache_usage_perc",
                    "generation_tokens_total",
                    "prefix_cache_queries_total",
                    "prefix_cache_hits_total",
                    "num_preemptions_total",
                    "spec_decode_num_draft_tokens_total",
                    "inter_token_latency_seconds_count",
                    "e2e_request_latency_seconds_count",
                    "request_queue_time_seconds_count",
                    "request_prefill_time_seconds_count",
                    "request_decode_time_seconds_count",
                    "request_prompt_tokens_count",
                    "request_generation_tokens_count")) {
                assertTrue(text.body().contains("\ninternvl4j:" + name + "{"), name);
            }
        }
    }

    @Test
    void theBoardAsksForWhatThereIsUnderAnyPrefix() throws Exception {
        Set<String> asked = new TreeSet<>();
        for (JsonNode panel :
                Fixture.JSON.readTree(Path.of("grafana.json").toFile()).get("panels")) {
            for (JsonNode target : panel.get("targets")) {
                Matcher names = Pattern.compile("\\$\\{prefix\\}:(\\w+)")
                        .matcher(target.get("expr").asText());
                while (names.find()) {
                    asked.add(names.group(1));
                }
            }
        }
        assertTrue(asked.size() > 10, asked.toString());
        try (Fixture own = new Fixture(Fixture.options().metricsPrefix("vllm"), Limits.Times.defaults())) {
            own.answer("/v1/chat/completions", Fixture.question("Hello", ""));
            String text = own.get("/metrics").body();
            assertFalse(text.contains("internvl4j:"));
            for (String name : asked) {
                assertTrue(text.contains("\nvllm:" + name + "{"), name);
            }
        }
        assertThrows(InvalidOptionException.class, () -> Fixture.options().metricsPrefix("a:b"));
    }

    @Test
    void withoutAKeyThereIsHealthAlone() throws Exception {
        ServerOptions locked = Fixture.options().apiKeys(List.of(KEY, "second-secret-key"));
        try (Fixture own = new Fixture(locked, Limits.Times.defaults())) {
            assertEquals(200, own.get("/health").statusCode());
            for (String path : PATHS) {
                for (String header : List.of(
                        "Bearer wrong",
                        "Bearer ",
                        "Basic !",
                        "Basic " + KEY,
                        "Bearer " + KEY.toUpperCase(java.util.Locale.ROOT))) {
                    assertEquals(401, own.get(path, "Authorization", header).statusCode(), path);
                }
                assertEquals(401, own.get(path).statusCode(), path);
                assertNotEquals(
                        401, own.get(path, "Authorization", "Bearer " + KEY).statusCode(), path);
            }
            String pair = Base64.getEncoder().encodeToString(("me:" + KEY).getBytes(StandardCharsets.UTF_8));
            assertEquals(200, own.get("/", "Authorization", "Basic " + pair).statusCode());
            assertEquals(
                    "Basic realm=\"internvl4j\"",
                    own.get("/").headers().firstValue("WWW-Authenticate").orElse(""));
            String body = Fixture.question("Hello", "");
            String first = own.post("/v1/chat/completions", body, "Authorization", "Bearer " + KEY)
                    .body();
            String again = own.post("/v1/chat/completions", body, "Authorization", "Bearer " + KEY)
                    .body();
            String other = own.post("/v1/chat/completions", body, "Authorization", "Bearer second-secret-key")
                    .body();
            assertEquals(
                    Fixture.JSON.readTree(first).at("/choices"),
                    Fixture.JSON.readTree(other).at("/choices"));
            assertEquals(
                    Fixture.JSON.readTree(first).at("/choices"),
                    Fixture.JSON.readTree(again).at("/choices"));
        }
    }

    @Test
    void otherSitesPagesMayNotAsk() throws Exception {
        String body = Fixture.question("Hello", "");
        assertEquals(
                403,
                fixture.post("/v1/chat/completions", body, "Origin", "https://evil.example")
                        .statusCode());
        assertEquals(
                403,
                fixture.post("/v1/chat/completions", body, "Origin", "null").statusCode());
        assertEquals(
                200,
                fixture.post(
                                "/v1/chat/completions",
                                body,
                                "Origin",
                                fixture.server.address().toString())
                        .statusCode());
        HttpResponse<String> asked = fixture.client.send(
                fixture.request("/v1/chat/completions")
                        .method("OPTIONS", HttpRequest.BodyPublishers.noBody())
                        .header("Origin", "https://evil.example")
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertEquals(403, asked.statusCode());
        assertTrue(asked.headers().firstValue("Access-Control-Allow-Origin").isEmpty());
    }

    @Test
    void thePageIsWholeAndOnlyOurs() throws Exception {
        HttpResponse<String> page = fixture.get("/");
        assertEquals(200, page.statusCode());
        assertTrue(
                page.headers().firstValue("Content-Security-Policy").orElse("").startsWith("default-src 'self'"));
        for (String file : List.of(
                "/page.css",
                "/page.js",
                "/chat.js",
                "/images.js",
                "/markdown.js",
                "/store.js",
                "/icon.svg",
                "/marked.js",
                "/purify.js")) {
            assertEquals(200, fixture.get(file).statusCode(), file);
        }
        assertTrue(!page.body().contains("http://") && !page.body().contains("https://"), "nothing of another site");
    }

    @Test
    void anyModelIsServedWhereThatIsWanted() throws Exception {
        try (Fixture open = new Fixture(Fixture.options().anyModel(true), Limits.Times.defaults())) {
            String body = Fixture.question("Hello", "").replace("\"demo\"", "\"gpt-4o\"");
            assertEquals(200, open.post("/v1/chat/completions", body).statusCode());
            assertEquals(404, fixture.post("/v1/chat/completions", body).statusCode());
        }
    }
}
