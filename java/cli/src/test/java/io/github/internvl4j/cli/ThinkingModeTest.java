package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.JSON;
import static io.github.internvl4j.cli.Cli.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.cli.Cli.Run;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --thinking}. The model's weights are random: it never thinks, but is asked as one that does. */
class ThinkingModeTest {
    private static final String QWEN3 = Cli.DATA.resolve("qwen3").toString();
    private static final List<String> ASK =
            List.of("chat", "--model", QWEN3, "--prompt", "Hi", "--max-new-tokens", "3", "--json");

    @TempDir
    Path folder;

    @Test
    void theAnswerHasItsThinkingApart() throws IOException {
        JsonNode plain = run(ASK).succeeded().json();
        assertFalse(plain.has("thinking") || plain.has("response"), plain::toString);
        JsonNode thinking = run(ASK, "--thinking").succeeded().json();
        assertEquals("", thinking.get("thinking").asText());
        assertEquals(thinking.get("text"), thinking.get("response"));
        assertTrue(thinking.get("prompt_tokens").size()
                > plain.get("prompt_tokens").size());
    }

    /** Only drawn answers have a seed. */
    @Test
    void itIsDrawnUnlessATemperatureIsGiven() throws IOException {
        assertTrue(run(ASK, "--thinking").json().has("seed"));
        assertFalse(run(ASK, "--thinking", "--temperature", "0").json().has("seed"));
        assertFalse(run(ASK).json().has("seed"));
    }

    @Test
    void thereIsOneSystemMessage() {
        run(ASK, "--thinking", "--system", "Be short.").failed(2, "--thinking", "--system");
        Run talk = Cli.runWithInput(
                "/system Be short.\n/system\nHi\n", "chat", "--model", QWEN3, "--thinking", "--max-new-tokens", "2");
        talk.succeeded();
        assertEquals(1, talk.err().lines().count(), talk::err);
        assertTrue(talk.err().contains("system message"), talk::err);
    }

    @Test
    void aLineOfABatchSaysForItself() throws IOException {
        Path input = folder.resolve("in.jsonl");
        Path output = folder.resolve("out.jsonl");
        Files.write(
                input,
                List.of(
                        "{\"prompt\": \"Hi\"}",
                        "{\"prompt\": \"Hi\", \"thinking\": false, \"system\": \"S\"}",
                        "{\"prompt\": \"Hi\", \"system\": \"S\"}",
                        "{\"prompt\": \"Hi\", \"thinking\": 1}",
                        "{\"custom_id\": \"a\", \"body\": {\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}}"));
        run(
                "batch",
                "--model",
                QWEN3,
                "--input",
                input.toString(),
                "--output",
                output.toString(),
                "--thinking",
                "--max-new-tokens",
                "2");
        List<JsonNode> answers = new ArrayList<>();
        for (String line : Files.readAllLines(output)) {
            answers.add(JSON.readTree(line));
        }
        assertTrue(answers.get(0).has("thinking") && answers.get(0).has("seed"));
        assertFalse(answers.get(1).has("thinking")
                || answers.get(1).has("seed")
                || answers.get(1).has("error"));
        assertTrue(answers.get(2).path("error").path("message").asText().contains("system message"), answers::toString);
        assertTrue(answers.get(3).path("error").path("message").asText().contains("thinking"), answers::toString);
        JsonNode message = answers.get(4)
                .path("response")
                .path("body")
                .path("choices")
                .path(0)
                .path("message");
        assertTrue(message.has("reasoning_content"), answers::toString);
    }

    @Test
    void whatIsThoughtGoesToStandardError() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        AnswerPrinter printer = new AnswerPrinter(new Streams(new ByteArrayInputStream(new byte[0]), out, err));
        printer.show("7 is", "");
        printer.show(" odd.", "");
        printer.show("", "Yes");
        printer.show("", ".");
        printer.end();
        assertEquals("Yes.", out.toString(StandardCharsets.UTF_8));
        assertEquals("7 is odd.", err.toString(StandardCharsets.UTF_8).strip());
    }
}
