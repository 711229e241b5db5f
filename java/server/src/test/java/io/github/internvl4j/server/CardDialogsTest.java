package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.Precision;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Deque;
import org.junit.jupiter.api.Test;

/** The model card's dialogs as messages: the original's prompt ids, and its answers. */
class CardDialogsTest {
    private static final Path FOLDER = Fixture.DEMO.resolveSibling("hermes-d128");
    private static final String PLACE = "<image>\n";

    private static void ask(ArrayNode messages, String question, Deque<String> images) throws Exception {
        ArrayNode parts = messages.addObject().put("role", "user").putArray("content");
        int from = 0;
        for (int at = question.indexOf(PLACE); at >= 0; at = question.indexOf(PLACE, from)) {
            if (at > from) {
                parts.addObject().put("type", "text").put("text", question.substring(from, at));
            }
            byte[] bytes = Files.readAllBytes(FOLDER.resolve("images").resolve(images.remove()));
            parts.addObject()
                    .put("type", "image_url")
                    .putObject("image_url")
                    .put("url", "data:;base64," + Base64.getEncoder().encodeToString(bytes));
            from = at + PLACE.length();
        }
        parts.addObject().put("type", "text").put("text", question.substring(from));
    }

    private static ObjectNode body(JsonNode dialog) throws Exception {
        Deque<String> images = new ArrayDeque<>();
        dialog.get("images").forEach(image -> images.add(image.asText()));
        ObjectNode body = Fixture.JSON
                .createObjectNode()
                .put("max_tokens", dialog.get("greedy_tokens").size());
        ArrayNode messages = body.putArray("messages");
        if (dialog.has("system")) {
            messages.addObject()
                    .put("role", "system")
                    .put("content", dialog.get("system").asText());
        }
        for (JsonNode turn : dialog.get("history")) {
            ask(messages, turn.get(0).asText(), images);
            messages.addObject()
                    .put("role", "assistant")
                    .put("content", turn.get(1).asText());
        }
        ask(messages, dialog.get("question").asText(), images);
        return body;
    }

    private static JsonNode post(Server server, String path, ObjectNode body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(server.address().resolve(path))
                .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                .build();
        HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        assertEquals(200, response.statusCode(), response.body());
        return Fixture.JSON.readTree(response.body());
    }

    @Test
    void promptsAndAnswersAreTheOriginals() throws Exception {
        JsonNode dialogs =
                Fixture.JSON.readTree(FOLDER.resolve("expected.json").toFile()).get("dialogs");
        int asked = 0;
        try (Server server = Server.start(Fixture.options());
                InternVL model = InternVL.load(FOLDER, LoadOptions.defaults().precision(Precision.F32))) {
            server.serve("card", model);
            for (JsonNode dialog : dialogs) {
                boolean combined = dialog.get("num_patches_list").size()
                        < dialog.get("images").size();
                if (combined || dialog.toString().contains("<|im_end|>\\n") || dialog.has("max_tiles")) {
                    continue; // several images at one place are no messages
                }
                asked++;
                JsonNode rendered = post(server, "/v1/chat/completions/render", body(dialog));
                assertEquals(
                        dialog.get("input_ids"),
                        rendered.get("prompt_token_ids"),
                        dialog.get("name").asText());
                JsonNode answer = post(server, "/v1/chat/completions", body(dialog));
                assertEquals(
                        dialog.get("response").asText(),
                        answer.at("/choices/0/message/content").asText());
            }
            server.drain(java.time.Duration.ofSeconds(5));
        }
        assertTrue(asked > 5, "dialogs: " + asked);
    }
}
