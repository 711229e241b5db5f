package io.github.internvl4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.tensor.Safetensors;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every command as a user types it, in this process. */
class CommandLineTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path DATA = testData();
    private static final String D128 = DATA.resolve("hermes-d128").toString();

    @TempDir
    Path folder;

    /** What a run leaves behind. */
    private record Run(int status, String out, String err) {
        JsonNode json() throws IOException {
            return JSON.readTree(out);
        }

        /** One line on standard error that holds these words, and no stack trace. */
        void failed(int expected, String... words) {
            assertEquals(expected, status, err);
            assertEquals(1, err.lines().count(), err);
            assertTrue(err.startsWith("internvl4j: "), err);
            for (String word : words) {
                assertTrue(err.contains(word), err);
            }
        }
    }

    private static Path testData() {
        Path at = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(at.resolve("test-data"))) {
            at = at.getParent();
        }
        return at.resolve("test-data");
    }

    private static Run run(String... args) {
        return runWithInput("", args);
    }

    private static Run runWithInput(String input, String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Main.execute(
                new Main.Streams(
                        new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8)),
                args);
        return new Run(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private static List<String> inputOptions(String model, JsonNode dialog, Path folder) throws IOException {
        List<String> args = new ArrayList<>(List.of("--model", model, "--prompt", dialog.get("question").asText()));
        for (JsonNode image : dialog.get("images")) {
            args.addAll(List.of("--image", model + "/images/" + image.asText()));
        }
        if (dialog.get("num_patches_list").path(0).asInt() > 1) {
            args.add("--combine");
        }
        if (!dialog.get("history").isEmpty()) {
            Path history = folder.resolve(dialog.get("name").asText() + ".json");
            JSON.writeValue(history.toFile(), dialog.get("history"));
            args.addAll(List.of("--history", history.toString()));
        }
        return args;
    }

    @TestFactory
    Stream<DynamicTest> chatAnswersEveryDialogAsTheOriginalDoes() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (String name : List.of("hermes-d128", "hermes-gqa7")) {
            String model = DATA.resolve(name).toString();
            for (JsonNode dialog : JSON.readTree(Path.of(model, "expected.json").toFile()).get("dialogs")) {
                tests.add(dynamicTest(name + " " + dialog.get("name").asText(), () -> {
                    List<String> args = new ArrayList<>(List.of("chat", "--json", "--precision", "f32"));
                    args.addAll(inputOptions(model, dialog, folder));
                    int length = dialog.get("greedy_tokens").size();
                    args.addAll(List.of("--max-new-tokens", String.valueOf(length)));
                    Run run = run(args.toArray(new String[0]));
                    assertEquals(0, run.status(), run.err());
                    assertEquals(dialog.get("input_ids"), run.json().get("prompt_tokens"));
                    assertEquals(dialog.get("greedy_tokens"), run.json().get("tokens"));
                    assertEquals(dialog.get("response"), run.json().get("text"));
                    assertTrue(run.json().get("seconds").has("prefill"));
                }));
            }
        }
        return tests.stream();
    }

    @Test
    void chatStreamsTheSameTextAsItsJson() throws IOException {
        String[] args = {"chat", "--model", D128, "--prompt", "Hello", "--max-new-tokens", "9"};
        Run plain = run(args);
        Run json = run(Stream.concat(Stream.of(args), Stream.of("--json")).toArray(String[]::new));
        assertEquals(json.json().get("text").asText() + System.lineSeparator(), plain.out());
        assertEquals("length", json.json().get("finish").asText());
    }

    @Test
    void sampledAnswersRepeatWithTheirSeed() throws IOException {
        String[] args = {"chat", "--model", D128, "--prompt", "Hello", "--max-new-tokens", "9", "--temperature", "1",
            "--json", "--top-logprobs", "2"};
        Run first = run(args);
        String seed = first.json().get("seed").asText();
        Run again = run(Stream.concat(Stream.of(args), Stream.of("--seed", seed)).toArray(String[]::new));
        assertEquals(first.json().get("tokens"), again.json().get("tokens"));
        assertEquals(9, first.json().get("top_logprobs").size());
        assertEquals(2, first.json().get("top_logprobs").get(0).size());
    }

    @Test
    void aConversationOverAPipeKeepsItsPictures() {
        String image = D128 + "/images/wave.png";
        Run run = runWithInput(
                "/help\nHello\n/image " + image + "\nWhat is it?\n/nonsense\n/image absent.png\n/reset\nHello\n/exit\nx\n",
                "chat", "--model", D128, "--max-new-tokens", "5");
        assertEquals(0, run.status(), run.err());
        List<String> lines = run.out().lines().filter(line -> !line.startsWith("/") && !line.startsWith("Ctrl")).toList();
        assertEquals(3, lines.size(), run.out());
        assertEquals(lines.get(0), lines.get(2)); // after a reset the same question has the same answer
        assertTrue(run.err().contains("/nonsense"));
        assertTrue(run.err().contains("absent.png"));
    }

    @Test
    void aBatchAnswersInOrderAndOneBadLineFailsAlone() throws IOException {
        Path input = folder.resolve("in.jsonl");
        Path output = folder.resolve("out.jsonl");
        Files.copy(Path.of(D128, "images", "discs.jpg"), folder.resolve("discs.jpg"));
        Files.write(input, List.of(
                "{\"id\": \"a\", \"prompt\": \"What is it?\", \"images\": [\"discs.jpg\"], \"max_new_tokens\": 9}",
                "{\"prompt\": \"Hello\", \"max_new_tokens\": 2}",
                "not json",
                "{\"prompt\": \"Hello\", \"colour\": 1}",
                "",
                "{\"prompt\": \"x\", \"images\": [\"absent.png\"]}",
                "{\"prompt\": \"Hello\", \"temperature\": -1}",
                "{\"prompt\": \"Hello\", \"max_new_tokens\": 2, \"history\": [[\"q\", \"a\"]]}"));
        Run run = run("batch", "--model", D128, "--input", input.toString(), "--output", output.toString(),
                "--batch-size", "3");
        assertEquals(1, run.status(), run.err());
        List<JsonNode> answers = new ArrayList<>();
        for (String line : Files.readAllLines(output)) {
            answers.add(JSON.readTree(line));
        }
        assertEquals(7, answers.size());
        for (int i = 0; i < 7; i++) {
            assertEquals(i, answers.get(i).get("index").asInt());
            assertEquals(List.of(2, 3, 4, 5).contains(i), answers.get(i).has("error"), answers.get(i).toString());
        }
        assertEquals("a", answers.get(0).get("id").asText());
        assertEquals("ImageException", answers.get(4).get("error").get("type").asText());
        Run alone = run("chat", "--json", "--model", D128, "--prompt", "What is it?", "--image",
                folder.resolve("discs.jpg").toString(), "--max-new-tokens", "9");
        assertEquals(alone.json().get("tokens"), answers.get(0).get("tokens"));
    }

    @Test
    void dumpsCompareWithThemselvesAndWithTheOriginals() throws IOException {
        JsonNode dialogs = JSON.readTree(Path.of(D128, "expected.json").toFile()).get("dialogs");
        for (JsonNode dialog : dialogs) {
            if (!dialog.get("name").asText().equals("images-separate.0")) {
                continue;
            }
            String out = folder.resolve("d.safetensors").toString();
            List<String> args = new ArrayList<>(List.of("dump", "--out", out, "--precision", "f32"));
            args.addAll(inputOptions(D128, dialog, folder));
            assertEquals(0, run(args.toArray(new String[0])).status());
            assertEquals(0, run("compare", out, out, "--tolerance", "0").status());
            // The reference file also has greedy_logits, which a dump has not.
            Run run = run("compare", out, D128 + "/activations.safetensors", "--prefix", "images-separate.0/");
            assertTrue(run.out().contains("decoder.layers.2"), run.out());
            assertEquals(1, run.out().lines().filter(line -> line.contains("<-- over")).count(), run.out());
            assertTrue(run.out().contains("greedy_logits"), run.out());
        }
    }

    @Test
    void tokensGoThereAndBack() throws IOException {
        Path file = folder.resolve("text.txt");
        Files.writeString(file, "two  spaces 数字🦊\n");
        Run ids = run("tokenize", "--model", D128, "--file", file.toString());
        assertEquals(0, ids.status());
        Path list = folder.resolve("ids.json");
        Files.writeString(list, ids.out());
        Run back = run("detokenize", "--model", D128, "--file", list.toString());
        assertEquals("two  spaces 数字🦊\n" + System.lineSeparator(), back.out());
        assertEquals(JSON.readTree("[6]"), run("tokenize", "--model", D128, "--text", "<|im_start|>").json());
        assertFalse(run("tokenize", "--model", D128, "--literal", "--text", "<|im_start|>").out().contains("[6]"));
        assertTrue(run("tokenize", "--model", D128, "--pieces", "--text", "Hello").json().has("pieces"));
        run("detokenize", "--model", D128, "99999").failed(1, "99999");
    }

    @Test
    void preprocessedPicturesAreTheOriginals() {
        Path out = folder.resolve("p.safetensors");
        Run run = run("preprocess", "--model", D128, "--image", D128 + "/images/wave.png", "--out", out.toString());
        assertEquals(0, run.status(), run.err());
        var expected = Safetensors.read(Path.of(D128, "pixel_values.safetensors")).get("wave.png");
        var actual = Safetensors.read(out).get("pixel_values");
        assertTrue(actual != null && expected != null);
        assertEquals(0, actual.relativeError(expected), 1e-7);
    }

    @Test
    void infoTellsTheMachineAndTheCheckpoint() throws IOException {
        assertTrue(run("info").out().contains("cpu kernels"));
        Run json = run("info", "--json", "--check", "--model", D128);
        assertEquals(0, json.status(), json.err());
        assertEquals(16, json.json().get("model").get("tokens_per_image").asInt());
        assertTrue(json.json().get("memory_plan").get("total").asLong() > 9_000_000);
        Run text = run("info", "--check", "--model", D128);
        assertTrue(text.out().contains("all finite") && text.out().contains("fits"), text.out());
    }

    @Test
    void benchPrintsSpeedsAndShares() throws IOException {
        for (String[] subject : new String[][] {{"--model", D128}, {"--config", D128 + "/config.json"}}) {
            Run run = run("bench", subject[0], subject[1], "--prompt-tokens", "20", "--new-tokens", "3", "--runs", "1",
                    "--json");
            assertEquals(0, run.status(), run.err());
            for (String figure : List.of("load_seconds", "vision_ms_per_image", "prefill_tokens_per_second",
                    "decode_tokens_per_second", "peak_rss_bytes", "prefill_share_of_peak", "decode_share_of_bandwidth")) {
                assertTrue(run.json().get(figure).asDouble() > 0, figure + ": " + run.out());
            }
        }
    }

    @Test
    void wrongUsageIsOneLineAndStatusTwo() {
        run().failed(2, "command");
        run("chat").failed(2, "--model");
        run("sing").failed(2, "sing");
        run("chat", "--model", D128, "--precision", "f8", "--prompt", "x").failed(2, "f8");
        run("chat", "--model", D128, "--device", "cuda", "--prompt", "x").failed(2, "cuda");
        run("info", "--check").failed(2, "--model");
        run("tokenize", "--model", D128).failed(2, "--text");
    }

    @Test
    void failuresAreOneLineAndStatusOne() throws IOException {
        Path broken = Files.createDirectory(folder.resolve("broken"));
        Files.writeString(broken.resolve("config.json"), "{");
        Path notRounds = folder.resolve("h.json");
        Files.writeString(notRounds, "{\"a\": 1}");
        String[] base = {"chat", "--model", D128, "--prompt", "x"};
        run("chat", "--model", "/nowhere", "--prompt", "x").failed(1, "/nowhere");
        run("chat", "--model", broken.toString(), "--prompt", "x").failed(1, "config.json");
        with(base, "--image", "absent.png").failed(1, "absent.png");
        with(base, "--history", notRounds.toString()).failed(1, "h.json");
        with(base, "--temperature", "-1").failed(1, "temperature");
        with(base, "--top-p", "NaN").failed(1, "topP");
        with(base, "--memory-limit", "1000").failed(1, "MiB");
        with(base, "--threads", "-3").failed(1, "threads");
        with(base, "--video", D128 + "/config.json").failed(1, "config.json");
        run("chat", "--model", D128, "--prompt", "<image>").failed(1, "1", "0");
        run("compare", D128 + "/config.json", D128 + "/config.json").failed(1, "config.json");
        run("bench", "--config", "/nowhere/config.json").failed(1, "/nowhere");
        Run verbose = run("chat", "--model", "/nowhere", "--prompt", "x", "--verbose");
        assertTrue(verbose.err().contains("at io.github.internvl4j"), verbose.err());
    }

    private static Run with(String[] base, String... more) {
        return run(Stream.concat(Stream.of(base), Stream.of(more)).toArray(String[]::new));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "chat", "batch", "dump", "compare", "tokenize", "detokenize", "preprocess", "bench", "info"})
    void everyCommandHasHelp(String command) {
        Run run = command.isEmpty() ? run("--help") : run(command, "--help");
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().startsWith("Usage: internvl4j"), run.out());
    }
}
