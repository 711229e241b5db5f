package io.github.internvl4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Runs commands in this process as a user types them. */
final class Cli {
    static final ObjectMapper JSON = new ObjectMapper();
    static final Path DATA = testData();
    static final String D128 = DATA.resolve("hermes-d128").toString();
    static final String DEMO = DATA.resolve("demo").toString();
    static final String GQA7 = DATA.resolve("hermes-gqa7").toString();
    /** A template whose roles are plain text. */
    static final String ZH = DATA.resolve("llama2-zh").toString();

    /** Models whose images are cut into tiles: InternLM2, Qwen2 in both layouts, Qwen3, Llama with its BPE. */
    static final List<String> TILED = Stream.of("internlm2-tiles", "qwen2-tied", "qwen2-hf", "qwen3", "llama3-bpe")
            .map(name -> DATA.resolve(name).toString())
            .toList();

    private Cli() {}

    /** What a run leaves behind. */
    record Run(int status, String out, String err) {
        JsonNode json() throws IOException {
            return JSON.readTree(out);
        }

        Run succeeded() {
            assertEquals(0, status, err);
            return this;
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

    static Run run(String... args) {
        return runWithInput("", args);
    }

    static Run run(List<String> args, String... more) {
        return run(Stream.concat(args.stream(), Stream.of(more)).toArray(String[]::new));
    }

    static Run runWithInput(String input, String... args) {
        return run(input, System.getenv(), args);
    }

    /** With other variables of the environment. */
    static Run run(Map<String, String> environment, String... args) {
        return run("", environment, args);
    }

    private static Run run(String input, Map<String, String> environment, String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        ByteArrayInputStream in = new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8));
        int status = Main.execute(new Streams(in, out, err), environment, args);
        return new Run(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    static JsonNode dialogs(String model) throws IOException {
        return JSON.readTree(Path.of(model, "expected.json").toFile()).get("dialogs");
    }

    static JsonNode dialog(String model, String name) throws IOException {
        for (JsonNode dialog : dialogs(model)) {
            if (dialog.get("name").asText().equals(name)) {
                return dialog;
            }
        }
        throw new AssertionError(name);
    }

    static List<String> images(String model, JsonNode dialog) {
        List<String> files = new ArrayList<>();
        dialog.get("images").forEach(image -> files.add(model + "/images/" + image.asText()));
        return files;
    }

    static boolean combined(JsonNode dialog) {
        return dialog.get("num_patches_list").size() < dialog.get("images").size();
    }

    /** The dialog as options of {@code chat} and {@code dump}; its history goes into the folder. */
    static List<String> options(String model, JsonNode dialog, Path folder) throws IOException {
        List<String> args = new ArrayList<>(List.of("--model", model, "--precision", "f32"));
        args.addAll(List.of("--prompt", dialog.get("question").asText()));
        images(model, dialog).forEach(file -> args.addAll(List.of("--image", file)));
        if (combined(dialog)) {
            args.add("--combine");
        }
        if (dialog.has("max_tiles")) {
            args.addAll(List.of("--max-tiles", dialog.get("max_tiles").asText()));
        }
        if (dialog.has("system")) {
            args.addAll(List.of("--system", dialog.get("system").asText()));
        }
        if (!dialog.get("history").isEmpty()) {
            Path history = folder.resolve(dialog.get("name").asText() + ".json");
            JSON.writeValue(history.toFile(), dialog.get("history"));
            args.addAll(List.of("--history", history.toString()));
        }
        return args;
    }
}
