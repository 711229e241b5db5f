package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.DEMO;
import static io.github.internvl4j.cli.Cli.JSON;
import static io.github.internvl4j.cli.Cli.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.cli.Cli.Run;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Batch files as other programs write them. */
class BatchInputTest {
    private static final String LEFT = "The red circle is on the left.";
    private static final String ASKED = "Where is the red circle?";
    private static final Path TWO = Path.of(DEMO, "samples", "two.jpg");

    @TempDir
    Path folder;

    private List<JsonNode> answers(int status, byte[] input, String... options) throws IOException {
        Path in = folder.resolve("in.jsonl");
        Path out = folder.resolve("out.jsonl");
        Files.write(in, input);
        Run run = run(
                List.of("batch", "--model", DEMO, "--overwrite", "--input", in.toString(), "--output", out.toString()),
                options);
        assertEquals(status, run.status(), run.err());
        List<JsonNode> answers = new ArrayList<>();
        for (String line : Files.readAllLines(out)) {
            answers.add(JSON.readTree(line));
        }
        return answers;
    }

    private List<JsonNode> answers(int status, Object... lines) throws IOException {
        String input =
                String.join("\n", Arrays.stream(lines).map(String::valueOf).toList());
        return answers(status, input.getBytes(StandardCharsets.UTF_8));
    }

    private static String data(String type, Path file) throws IOException {
        return "data:" + type + ";base64," + Base64.getEncoder().encodeToString(Files.readAllBytes(file));
    }

    private static ObjectNode own(String question, String image) {
        ObjectNode line = JSON.createObjectNode().put("prompt", question);
        line.putArray("images").add(image);
        return line;
    }

    private static ObjectNode openAi(String id, ObjectNode... messages) {
        ObjectNode line = JSON.createObjectNode()
                .put("custom_id", id)
                .put("method", "POST")
                .put("url", "/v1/chat/completions");
        ArrayNode list = line.putObject("body").put("model", "m").putArray("messages");
        Arrays.asList(messages).forEach(list::add);
        return line;
    }

    private static ObjectNode message(String role, String text) {
        return JSON.createObjectNode().put("role", role).put("content", text);
    }

    /** Parts: a text, or the URL of an image. */
    private static ObjectNode shown(String... parts) {
        ObjectNode message = JSON.createObjectNode().put("role", "user");
        ArrayNode content = message.putArray("content");
        for (String part : parts) {
            if (part.startsWith("data:")) {
                content.addObject()
                        .put("type", "image_url")
                        .putObject("image_url")
                        .put("url", part)
                        .put("detail", "high");
            } else {
                content.addObject().put("type", "text").put("text", part);
            }
        }
        return message;
    }

    private static String error(JsonNode answer) {
        String message = answer.get("error").get("message").asText();
        assertTrue(message.length() < 500, message);
        assertFalse(message.contains("java.") || message.contains("Feature"), message);
        return message;
    }

    private static String content(JsonNode answer) {
        return answer.at("/response/body/choices/0/message/content").asText();
    }

    @Test
    void byteOrderMarksBeginNoRequest() throws IOException {
        String lines = "\ufeff{\"prompt\": \"Hello\", \"id\": \"\u00fc\"}\r\n\r\n{\"prompt\": \"Hello\"}\r\n";
        for (Charset charset : List.of(StandardCharsets.UTF_8, StandardCharsets.UTF_16LE, StandardCharsets.UTF_16BE)) {
            List<JsonNode> answers = answers(0, lines.getBytes(charset));
            assertEquals(2, answers.size());
            assertEquals("\u00fc", answers.get(0).get("id").asText());
            assertEquals(answers.get(0).get("text"), answers.get(1).get("text"));
        }
    }

    @Test
    void imagesMayStandInTheLine() throws IOException {
        String base64 = data("image/jpeg", TWO);
        StringBuilder percent = new StringBuilder("data:image/jpeg,");
        for (byte b : Files.readAllBytes(TWO)) {
            percent.append(String.format("%%%02x", b & 0xff));
        }
        String urlSafe = base64.replace('+', '-').replaceFirst("=*$", "").replaceFirst("^data", "DATA");
        String escaped = base64.replace("+", "%2B").replace("=", "%3D");
        for (JsonNode answer : answers(
                0, own(ASKED, base64), own(ASKED, percent.toString()), own(ASKED, urlSafe), own(ASKED, escaped))) {
            assertEquals(LEFT, answer.get("text").asText());
        }
        ObjectNode video = JSON.createObjectNode()
                .put("prompt", "Which way does it move?")
                .put("video", data("video/mp4", Path.of(DEMO, "samples", "film.mp4")));
        ObjectNode file = video.deepCopy()
                .put("video", Path.of(DEMO, "samples", "film.mp4").toString());
        List<JsonNode> videos = answers(0, video, file);
        assertEquals(videos.get(1).get("tokens"), videos.get(0).get("tokens"));
    }

    @Test
    void imagesThatAreNoneAreNotRepeated() throws IOException {
        String letters = "A".repeat(100_000);
        List<JsonNode> answers = answers(
                1,
                own(ASKED, "data:image/png;base64," + letters),
                own(ASKED, "data:image/png;base64,#" + letters),
                own(ASKED, letters),
                own(ASKED, "data:" + letters),
                own(ASKED, "data:image/png,%x" + letters),
                own(ASKED, "https://a.invalid/" + letters),
                JSON.createObjectNode().put("prompt", ASKED).put(letters, 1),
                JSON.createObjectNode().put("prompt", ASKED).put("stop", letters));
        List<String> told = List.of(
                "data:image/png;base64,AAA",
                "'#'",
                "data:TYPE;base64,",
                "behind the comma",
                "behind the %",
                "addresses are not fetched",
                "unknown field AAA",
                "field stop: expected an array of strings");
        for (int i = 0; i < told.size(); i++) {
            assertTrue(error(answers.get(i)).contains(told.get(i)), error(answers.get(i)));
        }
    }

    @Test
    void openAisRequestsHaveItsAnswers() throws IOException {
        ObjectNode first = openAi("a", message("user", "Hello"));
        ((ObjectNode) first.get("body"))
                .put("max_tokens", 64)
                .put("logprobs", true)
                .put("top_logprobs", 2)
                .put("n", 1);
        ObjectNode second = openAi("b", shown(ASKED, data("image/jpeg", TWO)));
        ObjectNode third = own(ASKED, TWO.toString()).put("id", "c");
        List<JsonNode> answers = answers(0, first, second, third);
        assertTrue(content(answers.get(0)).startsWith("Hello"), answers.get(0).toString());
        assertEquals("a", answers.get(0).get("custom_id").asText());
        assertTrue(answers.get(0).has("error") && answers.get(0).get("error").isNull());
        assertEquals(200, answers.get(0).at("/response/status_code").asInt());
        JsonNode body = answers.get(0).at("/response/body");
        assertEquals("chat.completion", body.get("object").asText());
        assertEquals("m", body.get("model").asText());
        assertEquals("stop", body.at("/choices/0/finish_reason").asText());
        JsonNode tokens = body.at("/choices/0/logprobs/content");
        assertEquals(tokens.size(), body.at("/usage/completion_tokens").asInt());
        assertEquals(2, tokens.get(0).get("top_logprobs").size());
        assertEquals(
                tokens.get(0).get("token").asText().getBytes(StandardCharsets.UTF_8).length,
                tokens.get(0).get("bytes").size());
        assertEquals(LEFT, content(answers.get(1)));
        assertTrue(answers.get(1).at("/response/body/choices/0/logprobs").isNull());
        assertEquals(LEFT, answers.get(2).get("text").asText());
        assertEquals(2, answers.get(2).get("index").asInt());
    }

    @Test
    void aConversationIsAskedAsInOurOwnForm() throws IOException {
        String image = data("image/jpeg", TWO);
        ObjectNode theirs = openAi(
                "a",
                message("system", "You see."),
                shown("What is it?", image),
                message("assistant", "Two."),
                shown("First ", image, "then ", image, "which?"));
        ObjectNode ours = JSON.createObjectNode()
                .put("prompt", "First <image>\nthen <image>\nwhich?")
                .put("system", "You see.");
        ours.putArray("history").addArray().add("<image>\nWhat is it?").add("Two.");
        ours.putArray("images").add(image).add(image).add(image);
        List<JsonNode> answers = answers(0, theirs, ours);
        assertEquals(answers.get(1).get("text").asText(), content(answers.get(0)));
        assertEquals(
                answers.get(1).get("prompt_tokens").size(),
                answers.get(0).at("/response/body/usage/prompt_tokens").asInt());
    }

    @Test
    void aPlaceInALiteralMessageIsText() throws IOException {
        String image = data("image/jpeg", TWO);
        ObjectNode theirs = openAi("a", shown("What is <image> in HTML?", image));
        ObjectNode ours = own("What is <image> in HTML?", image);
        ObjectNode video = JSON.createObjectNode()
                .put("prompt", "What is <image> in HTML?")
                .put("frames", 2)
                .put("video", Path.of(DEMO, "samples", "film.mp4").toString());
        byte[] lines = (theirs + "\n" + ours + "\n" + video).getBytes(StandardCharsets.UTF_8);
        List<JsonNode> answers = answers(0, lines, "--special-tokens", "literal", "--max-new-tokens", "1");
        assertEquals(
                answers.get(1).get("prompt_tokens").size(),
                answers.get(0).at("/response/body/usage/prompt_tokens").asInt());
        assertTrue(answers.get(2).get("prompt_tokens").size()
                > answers.get(1).get("prompt_tokens").size());
    }

    @Test
    void whatOpenAisRequestsMeanAndCannotBeDoneIsNamed() throws IOException {
        List<ObjectNode> lines = new ArrayList<>();
        List<String> told = new ArrayList<>();
        for (String[] wrong : new String[][] {
            {"{\"n\": 2}", "field body.n: expected 1"},
            {"{\"stream\": true}", "field body.stream: expected false"},
            {"{\"frequency_penalty\": \"x\"}", "field body.frequency_penalty: expected a number"},
            {"{\"logit_bias\": {\"a\": 1}}", "field body.logit_bias.a: expected the id of a token with a number"},
            {"{\"logit_bias\": {\"7\": null}}", "body.logit_bias.7"},
            {"{\"min_p\": 1}", "field body.min_p is 1.0, expected a number in [0, 1)"},
            {"{\"tools\": [{}]}", "field body.tools"},
            {"{\"response_format\": {\"type\": \"json_object\"}}", "response_format"},
            {"{\"colour\": 1}", "unknown field body.colour, expected one of messages, max_tokens, max_completion_tokens"
            },
            {"{\"max_tokens\": 0}", "field body.max_tokens is 0"},
            {"{\"max_completion_tokens\": 0}", "field body.max_completion_tokens is 0"},
            {"{\"temperature\": \"0\"}", "field body.temperature: expected a number"},
            {"{\"top_logprobs\": 2}", "body.logprobs"},
            {"{\"stop\": 3}", "field body.stop"},
            {"{\"messages\": []}", "field body.messages"},
            {"{\"messages\": \"Hello\"}", "an array of messages"},
            {"{\"messages\": [{\"role\": \"tool\", \"content\": \"x\"}]}", "field body.messages[0].role"},
            {
                "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"input_audio\"}]}]}",
                "body.messages[0].content[0].type"
            },
            {
                "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}, {\"role\": \"assistant\", \"content\": \"x\"}]}",
                "body.messages ends without a question"
            },
        }) {
            ObjectNode line = openAi("x" + lines.size(), message("user", "Hello"));
            ((ObjectNode) line.get("body")).setAll((ObjectNode) JSON.readTree(wrong[0]));
            lines.add(line);
            told.add(wrong[1]);
        }
        lines.add(openAi("url", message("user", "x")).put("url", "/v1/embeddings"));
        told.add("field url: expected /v1/chat/completions");
        List<JsonNode> answers = answers(1, lines.toArray());
        for (int i = 0; i < told.size(); i++) {
            assertTrue(error(answers.get(i)).contains(told.get(i)), error(answers.get(i)));
            assertTrue(error(answers.get(i)).startsWith("line " + (i + 1) + ": "));
            assertEquals(400, answers.get(i).at("/response/status_code").asInt());
            assertEquals(lines.get(i).get("custom_id"), answers.get(i).get("custom_id"));
        }
    }

    @Test
    void standardStreamsAreFilesToo() throws IOException {
        String lines = "{\"prompt\": \"Hello\"}\n{\"prompt\": 5}\n";
        Run run = Cli.runWithInput(lines, "batch", "--model", DEMO, "--input", "-", "--output", "-");
        assertEquals(1, run.status());
        assertEquals("", run.err());
        List<String> answers = run.out().lines().toList();
        assertEquals(2, answers.size());
        assertTrue(JSON.readTree(answers.get(0)).get("text").asText().startsWith("Hello"));
        run("batch", "--model", DEMO, "--input", "-", "--output", "-", "--resume")
                .failed(2, "--resume needs files");
    }

    @Test
    void answersThatNobodyReadsEndTheBatch() {
        String lines = "{\"prompt\": \"Hello\"}\n".repeat(500);
        for (String reason : List.of("Broken pipe", "No space left on device")) {
            OutputStream broken = new OutputStream() {
                private int room = 2000;

                @Override
                public void write(int b) throws IOException {
                    if (room-- <= 0) {
                        throw new IOException(reason);
                    }
                }
            };
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            Streams streams =
                    new Streams(new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8)), broken, err);
            int status = Main.execute(streams, "batch", "--model", DEMO, "--input", "-", "--output", "-");
            boolean quiet = reason.equals("Broken pipe");
            assertEquals(quiet ? 0 : 1, status);
            assertEquals(
                    quiet ? "" : "internvl4j: standard output cannot be written: " + reason + "\n",
                    err.toString(StandardCharsets.UTF_8));
        }
    }

    @Test
    void aLineLimitsItsTiles() throws IOException {
        String model = Cli.DATA.resolve("qwen3").toString();
        String image = model + "/images/wide-800x300.png";
        Path in = folder.resolve("in.jsonl");
        Path out = folder.resolve("out.jsonl");
        Files.writeString(
                in,
                String.join(
                        "\n",
                        own("Q", image).toString(),
                        own("Q", image).put("max_tiles", 1).toString(),
                        own("Q", image).put("max_tiles", 0).toString()));
        Run run = run(
                "batch",
                "--model",
                model,
                "--input",
                in.toString(),
                "--output",
                out.toString(),
                "--max-new-tokens",
                "1",
                "--max-tiles",
                "3");
        assertEquals(1, run.status(), run.err());
        List<String> answers = Files.readAllLines(out);
        int three = JSON.readTree(answers.get(0)).get("prompt_tokens").size();
        int one = JSON.readTree(answers.get(1)).get("prompt_tokens").size();
        int tile = JSON.readTree(Path.of(model, "expected.json").toFile())
                .get("tokens_per_image")
                .asInt();
        assertEquals(3 * tile, three - one, "three tiles and a thumbnail, or one tile");
        assertTrue(JSON.readTree(answers.get(2)).get("error").toString().contains("max_tiles is 0"), answers.get(2));
    }
}
