package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.D128;
import static io.github.internvl4j.cli.Cli.JSON;
import static io.github.internvl4j.cli.Cli.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.cli.Cli.Run;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many requests in one file. */
class BatchCommandTest {
    @TempDir
    Path folder;

    private Path input;
    private Path output;

    @BeforeEach
    void files() {
        input = folder.resolve("in.jsonl");
        output = folder.resolve("out.jsonl");
    }

    private List<JsonNode> answers(int status, String... options) throws IOException {
        Run run = run(List.of("batch", "--input", input.toString(), "--output", output.toString()), options);
        assertEquals(status, run.status(), run.err());
        assertEquals("", run.err());
        List<JsonNode> answers = new ArrayList<>();
        for (String line : Files.readAllLines(output)) {
            answers.add(JSON.readTree(line));
            assertEquals(
                    answers.size() - 1,
                    answers.get(answers.size() - 1).get("index").asInt());
        }
        return answers;
    }

    @ParameterizedTest
    @ValueSource(strings = {"hermes-d128", "hermes-gqa7"})
    void allDialogsTogetherAreAnsweredAsAlone(String name) throws IOException {
        String model = Cli.DATA.resolve(name).toString();
        List<String> lines = new ArrayList<>();
        for (JsonNode dialog : Cli.dialogs(model)) {
            ObjectNode line = JSON.createObjectNode();
            line.set("id", dialog.get("name"));
            line.set("prompt", dialog.get("question"));
            line.set("history", dialog.get("history"));
            line.set("images", JSON.valueToTree(Cli.images(model, dialog)));
            line.put("combine", Cli.combined(dialog));
            line.put("max_new_tokens", dialog.get("greedy_tokens").size());
            lines.add(line.toString());
        }
        Files.write(input, lines);
        List<JsonNode> answers = answers(0, "--model", model, "--precision", "f32", "--batch-size", "4");
        assertEquals(10, answers.size());
        for (int i = 0; i < 10; i++) {
            JsonNode dialog = Cli.dialogs(model).get(i);
            assertEquals(dialog.get("name"), answers.get(i).get("id"));
            assertEquals(dialog.get("input_ids"), answers.get(i).get("prompt_tokens"));
            assertEquals(dialog.get("greedy_tokens"), answers.get(i).get("tokens"));
            assertEquals(dialog.get("response"), answers.get(i).get("text"));
        }
    }

    @Test
    void aBadLineFailsAlone() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        String good = "{\"prompt\": \"Hello\", \"max_new_tokens\": 2, \"id\": {\"n\": 1}}";
        List<String> bad = List.of(
                "not json",
                "[1]",
                "null",
                "{\"prompt\": \"a\"} {}",
                "{\"prompt\": \"a\", \"prompt\": \"b\"}",
                "{\"prompt\": \"a\", \"colour\": 1}",
                "{\"id\": 7}",
                "{\"prompt\": 5}",
                "{\"prompt\": \"a\", \"max_new_tokens\": 1.5}",
                "{\"prompt\": \"a\", \"max_new_tokens\": \"2\"}",
                "{\"prompt\": \"a\", \"temperature\": -1}",
                "{\"prompt\": \"a\", \"top_p\": 1e99}",
                "{\"prompt\": \"a\", \"history\": [[\"q\", null]]}",
                "{\"prompt\": \"a\", \"history\": [null]}",
                "{\"prompt\": \"a\", \"history\": [[\"q\"]]}",
                "{\"prompt\": \"a\", \"stop\": [null]}",
                "{\"prompt\": \"a\", \"images\": [\"absent.png\"]}",
                "{\"prompt\": \"a\", \"images\": [\"\\u0000\"]}",
                "{\"prompt\": \"\"}",
                "{\"prompt\": \"a\", \"video\": \"absent.mp4\"}",
                "{\"prompt\": \"a\", \"frames\": 2}",
                "{\"prompt\": \"" + "a ".repeat(5000) + "\"}");
        bytes.writeBytes((good + "\n\n").getBytes(StandardCharsets.UTF_8));
        for (String line : bad) {
            bytes.writeBytes((line + "\n").getBytes(StandardCharsets.UTF_8));
        }
        bytes.writeBytes(new byte[] {'{', '"', (byte) 0xff, '"', '}', '\r', '\n'});
        bytes.writeBytes(good.getBytes(StandardCharsets.UTF_8));
        Files.write(input, bytes.toByteArray());

        List<JsonNode> answers = answers(1, "--model", D128, "--batch-size", "3");
        assertEquals(bad.size() + 3, answers.size());
        for (int i = 1; i <= bad.size() + 1; i++) {
            JsonNode error = answers.get(i).get("error");
            assertTrue(
                    error != null && error.get("type").asText().endsWith("Exception"),
                    answers.get(i).toString());
            String message = error.get("message").asText();
            assertTrue(!message.isBlank() && !message.contains("\n") && !message.contains("internvl4j"), message);
        }
        for (int i : new int[] {0, bad.size() + 2}) {
            assertEquals("length", answers.get(i).get("finish").asText());
            assertEquals(1, answers.get(i).get("id").get("n").asInt());
        }
        assertEquals(7, answers.get(7).get("id").asInt());
        assertTrue(answers.get(1).get("error").get("message").asText().startsWith("line 3: "), "a blank line counts");
        assertTrue(answers.get(6).get("error").get("message").asText().contains("colour"));
        assertTrue(answers.get(9).get("error").get("message").asText().contains("max_new_tokens"));
        assertEquals("ImageException", answers.get(17).get("error").get("type").asText());
    }

    @Test
    void imagesLieBesideTheInput() throws IOException {
        Files.copy(Path.of(D128, "images", "discs.jpg"), folder.resolve("an image.jpg"));
        Files.writeString(input, "{\"prompt\": \"What is it?\", \"images\": [\"an image.jpg\"]}");
        JsonNode answer = answers(0, "--model", D128, "--max-new-tokens", "9").get(0);
        JsonNode alone = run(
                        "chat",
                        "--json",
                        "--model",
                        D128,
                        "--prompt",
                        "What is it?",
                        "--image",
                        folder.resolve("an image.jpg").toString(),
                        "--max-new-tokens",
                        "9")
                .json();
        assertEquals(alone.get("tokens"), answer.get("tokens"));
    }

    @Test
    void drawnAnswersTellTheirSeeds() throws IOException {
        String line = "{\"prompt\": \"Hello\", \"temperature\": 2, \"max_new_tokens\": 20}\n";
        Files.writeString(input, line + line);
        List<JsonNode> answers = answers(0, "--model", D128);
        assertNotEquals(answers.get(0).get("seed"), answers.get(1).get("seed"));
        JsonNode again = run(
                        "chat",
                        "--json",
                        "--model",
                        D128,
                        "--prompt",
                        "Hello",
                        "--temperature",
                        "2",
                        "--max-new-tokens",
                        "20",
                        "--seed",
                        answers.get(1).get("seed").asText())
                .json();
        assertEquals(answers.get(1).get("tokens"), again.get("tokens"));
    }

    @Test
    void filesThatCannotBeUsedAreToldBeforeAnyWork() throws IOException {
        Files.writeString(input, "");
        assertEquals(List.of(), answers(0, "--model", D128));
        List<String> batch = List.of("batch", "--model", D128);
        run(batch, "--input", input.toString(), "--output", input.toString()).failed(2, "same");
        run(batch, "--input", "absent.jsonl", "--output", output.toString()).failed(1, "absent.jsonl");
        run(batch, "--input", input.toString(), "--output", "/nowhere/x").failed(1, "/nowhere/x");
        run(batch, "--input", input.toString(), "--output", output.toString(), "--batch-size", "0")
                .failed(1, "--batch-size is 0");
    }
}
