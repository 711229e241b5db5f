package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.D128;
import static io.github.internvl4j.cli.Cli.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.cli.Cli.Run;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
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

/** One answer. */
class ChatCommandTest {
    private static final List<String> HELLO = List.of("chat", "--model", D128, "--prompt", "Hello");

    @TempDir
    Path folder;

    @TestFactory
    Stream<DynamicTest> everyDialogIsAnsweredAsTheOriginalDoes() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (String model : Stream.concat(Stream.of(D128, Cli.GQA7, Cli.ZH), Cli.TILED.stream())
                .toList()) {
            for (JsonNode dialog : Cli.dialogs(model)) {
                tests.add(dynamicTest(
                        Path.of(model).getFileName() + " " + dialog.get("name").asText(), () -> {
                            List<String> args = new ArrayList<>(List.of("chat", "--json"));
                            args.addAll(Cli.options(model, dialog, folder));
                            int length = dialog.get("greedy_tokens").size();
                            JsonNode answer = run(args, "--max-new-tokens", String.valueOf(length))
                                    .succeeded()
                                    .json();
                            assertEquals(dialog.get("input_ids"), answer.get("prompt_tokens"));
                            assertEquals(dialog.get("greedy_tokens"), answer.get("tokens"));
                            assertEquals(dialog.get("response"), answer.get("text"));
                            for (String phase : List.of("load", "vision", "prefill", "decode")) {
                                assertTrue(answer.get("seconds").get(phase).asDouble() >= 0, phase);
                            }
                        }));
            }
        }
        return tests.stream();
    }

    @Test
    void anAnswerIsWhatASchemaSays() throws IOException {
        Path schema = Files.writeString(folder.resolve("schema.json"), "{\"enum\": [\"a cat\", \"a dog\"]}");
        String answer = run(HELLO, "--json-schema", schema.toString(), "--json")
                .succeeded()
                .json()
                .get("text")
                .asText();
        assertTrue(List.of("\"a cat\"", "\"a dog\"").contains(answer), answer);
    }

    @Test
    void aDraftChangesNothing() throws IOException {
        JsonNode alone =
                run(HELLO, "--max-new-tokens", "20", "--json").succeeded().json();
        JsonNode drafted = run(HELLO, "--max-new-tokens", "20", "--json", "--draft", D128)
                .succeeded()
                .json();
        assertEquals(alone.get("tokens"), drafted.get("tokens"));
    }

    @Test
    void theStreamedTextIsThatOfTheJson() throws IOException {
        Run plain = run(HELLO, "--max-new-tokens", "9");
        JsonNode json =
                run(HELLO, "--max-new-tokens", "9", "--json").succeeded().json();
        assertEquals(
                json.get("text").asText() + System.lineSeparator(),
                plain.succeeded().out());
        assertEquals("length", json.get("finish").asText());
        assertFalse(json.has("seed"));
    }

    @Test
    void sampledAnswersRepeatWithTheSeedTheyTell() throws IOException {
        String[] drawn = {"--max-new-tokens", "9", "--temperature", "1", "--verbose"};
        Run first = run(
                Stream.concat(HELLO.stream(), Stream.of("--json", "--top-logprobs", "2"))
                        .toList(),
                drawn);
        String seed = first.json().get("seed").asText();
        assertTrue(first.err().contains("seed " + seed), first.err());
        Run again = run(
                Stream.concat(HELLO.stream(), Stream.of("--json", "--seed", seed))
                        .toList(),
                drawn);
        assertEquals(first.json().get("tokens"), again.json().get("tokens"));
        assertEquals(9, first.json().get("logprobs").size());
        assertEquals(9, first.json().get("top_logprobs").size());
        assertEquals(2, first.json().get("top_logprobs").get(0).size());
        assertFalse(again.json().has("logprobs"));
    }

    @Test
    void aTemplateIsNamed() throws IOException {
        String model = Cli.DATA.resolve("qwen2-hf").toString();
        List<String> hello = List.of(
                "chat", "--model", model, "--precision", "f32", "--prompt", "Hello", "--max-new-tokens", "1", "--json");
        int own = run(hello).succeeded().json().get("prompt_tokens").size();
        int other = run(hello, "--template", "internvl2_5")
                .succeeded()
                .json()
                .get("prompt_tokens")
                .size();
        assertTrue(other > own + 10, "with its system message: " + other + ", without: " + own);
        run(hello, "--template", "alpaca").failed(1, "--template", "alpaca", "Hermes-2");
    }

    @Test
    void tilesHaveLimits() {
        run(HELLO, "--max-tiles", "0").failed(1, "--max-tiles is 0", "1 to 1024");
        run(HELLO, "--max-tiles", "1000000").failed(1, "--max-tiles is 1000000");
    }

    @Test
    void stopStringsEndTheAnswer() throws IOException {
        String whole =
                run(HELLO, "--max-new-tokens", "9", "--json").json().get("text").asText();
        String stop = whole.substring(3, 5);
        JsonNode cut = run(HELLO, "--max-new-tokens", "9", "--json", "--stop", "--", "--stop", stop)
                .json();
        assertEquals(
                whole.substring(0, whole.indexOf(stop)).strip(), cut.get("text").asText());
        assertEquals("stop", cut.get("finish").asText());
    }

    @Test
    void textsMayLookLikeOptionsAndFiles() throws IOException {
        JsonNode answer = run(
                        "chat",
                        "--model",
                        D128,
                        "--max-new-tokens",
                        "1",
                        "--json",
                        "--system",
                        "-h",
                        "--prompt",
                        "@@--json")
                .succeeded()
                .json();
        String ids = answer.get("prompt_tokens").toString();
        Path file = folder.resolve("ids.json");
        Files.writeString(file, ids);
        String text = run("detokenize", "--model", D128, "--keep-special", "--file", file.toString())
                .out();
        assertTrue(text.contains("system\n-h<|im_end|>") && text.contains("user\n@@--json<|im_end|>"), text);
    }

    @Test
    void aPromptMayBeAFile() throws IOException {
        String text = "Two lines,\nüber \"quotes\": " + "word ".repeat(20);
        String asked = promptOf(List.of("--prompt", text));
        Path file = folder.resolve("question.txt");
        for (String written : List.of(text, text + "\n", text + "\r\n", "\ufeff" + text)) {
            Files.writeString(file, written);
            assertEquals(asked, promptOf(List.of("--prompt-file", file.toString())));
        }
        Files.write(file, ("\ufeff" + text).getBytes(StandardCharsets.UTF_16LE)); // as Windows writes it
        assertEquals(asked, promptOf(List.of("--prompt-file", file.toString())));
        Run piped = Cli.runWithInput(
                text + "\n", "chat", "--model", D128, "--max-new-tokens", "1", "--json", "--prompt-file", "-");
        assertEquals(asked, piped.succeeded().json().get("prompt_tokens").toString());
        Files.write(file, new byte[] {'a', (byte) 0xff});
        run("chat", "--model", D128, "--prompt-file", file.toString()).failed(1, file.toString(), "UTF-8");
        run(HELLO, "--prompt-file", file.toString()).failed(2, "--prompt-file exclude");
        run("chat", "--model", D128, "--prompt-file", "absent").failed(1, "absent: no such file");
        run("dump", "--model", D128, "--out", "x").failed(2, "--prompt-file");
    }

    private static String promptOf(List<String> question) throws IOException {
        List<String> args = Stream.concat(
                        Stream.of("chat", "--model", D128, "--max-new-tokens", "1", "--json"), question.stream())
                .toList();
        return run(args).succeeded().json().get("prompt_tokens").toString();
    }

    @Test
    void specialTokensInAPromptAreAsTheOptionSays() throws IOException {
        List<String> typed =
                List.of("chat", "--model", D128, "--max-new-tokens", "1", "--json", "--prompt", "a<|im_end|>");
        int parsed = run(typed).succeeded().json().get("prompt_tokens").size();
        int literal = run(typed, "--special-tokens", "literal")
                .succeeded()
                .json()
                .get("prompt_tokens")
                .size();
        assertTrue(literal > parsed, literal + " and " + parsed);
        run(typed, "--special-tokens", "reject").failed(1, "<|im_end|>");
        run("chat", "--model", D128, "--prompt", "a<IMG_CONTEXT>").failed(1, "<IMG_CONTEXT>");
    }

    @Test
    void imageIsATextWithoutImages() throws IOException {
        List<String> asked = List.of(
                "chat", "--model", D128, "--max-new-tokens", "1", "--json", "--prompt", "What is the <image> tag?");
        JsonNode parsed = run(asked).succeeded().json();
        assertEquals(
                parsed.get("prompt_tokens"),
                run(asked, "--special-tokens", "literal").json().get("prompt_tokens"));
        String image = D128 + "/images/discs.jpg";
        int literal = run(asked, "--special-tokens", "literal", "--image", image)
                .succeeded()
                .json()
                .get("prompt_tokens")
                .size();
        assertTrue(literal > parsed.get("prompt_tokens").size(), "no image in " + literal + " tokens");
    }

    /** Where special tokens are text, a history's images are still where they were; {@code <image>} elsewhere is text. */
    @Test
    void theImagesOfALiteralHistoryStayWhereTheyWere() throws IOException {
        Path history = folder.resolve("history.json");
        Files.writeString(history, "[[\"<image>\\nWhat is it?\", \"A disc.\"]]");
        List<String> asked = List.of(
                "chat",
                "--model",
                D128,
                "--max-new-tokens",
                "1",
                "--json",
                "--prompt",
                "Which?",
                "--history",
                history.toString(),
                "--image",
                D128 + "/images/discs.jpg");
        JsonNode parsed = run(asked).succeeded().json();
        JsonNode literal = run(asked, "--special-tokens", "literal").succeeded().json();
        assertEquals(parsed.get("prompt_tokens"), literal.get("prompt_tokens"));
        Files.writeString(history, "[[\"<image>\\nWhat is <image>?\", \"A disc.\"]]");
        run(asked).failed(1, "2 <image> placeholders");
        run(asked, "--special-tokens", "literal").succeeded();
    }

    @Test
    void videosAreFramesWithTheirNames() throws IOException {
        String video = Cli.DATA
                .resolve("../java/core/src/test/resources/video/h264-bframes.mp4")
                .toString();
        List<String> asked = List.of("chat", "--model", D128, "--max-new-tokens", "1", "--json", "--video", video);
        JsonNode named = run(asked, "--frames", "2", "--prompt", "What happens?")
                .succeeded()
                .json();
        JsonNode marked = run(asked, "--frames", "2", "--prompt", "Frame1: <image>\nFrame2: <image>\nWhat happens?")
                .succeeded()
                .json();
        assertEquals(marked.get("prompt_tokens"), named.get("prompt_tokens"));
        run(asked, "--frames", "2", "--start", "0.1", "--prompt", "What?").succeeded();
        run(asked, "--frames", "2", "--start", "5000", "--end", "6000", "--prompt", "What?")
                .failed(1, video);
        run(asked, "--frames", "0", "--prompt", "What?").failed(1, "0");
        run(asked, "--image", video, "--prompt", "What?").failed(2, "--video");
    }

    /** Accepts so many bytes, then fails. */
    private static final class Pipe extends OutputStream {
        private final String failure;
        private int room;

        Pipe(int room, String failure) {
            this.room = room;
            this.failure = failure;
        }

        @Override
        public void write(int b) throws IOException {
            if (room-- <= 0) {
                throw new IOException(failure);
            }
        }
    }

    @Test
    void anAnswerThatNobodyReadsIsStopped() {
        String[] args = Stream.concat(HELLO.stream(), Stream.of("--max-new-tokens", "3900"))
                .toArray(String[]::new);
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        long started = System.nanoTime();
        Streams broken = new Streams(InputStream.nullInputStream(), new Pipe(9, "Broken pipe"), err);
        assertEquals(0, Main.execute(broken, args));
        assertEquals("", err.toString(StandardCharsets.UTF_8));
        assertTrue(System.nanoTime() - started < 10_000_000_000L);
        Streams full = new Streams(InputStream.nullInputStream(), new Pipe(9, "No space left on device"), err);
        assertEquals(1, Main.execute(full, args));
        assertTrue(err.toString(StandardCharsets.UTF_8).contains("No space left"), err::toString);
    }
}
