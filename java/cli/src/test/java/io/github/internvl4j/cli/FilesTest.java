package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.D128;
import static io.github.internvl4j.cli.Cli.GQA7;
import static io.github.internvl4j.cli.Cli.JSON;
import static io.github.internvl4j.cli.Cli.run;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.Precision;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.cli.Cli.Run;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.ImageProcessor;
import io.github.internvl4j.tensor.Safetensors;
import io.github.internvl4j.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands that turn one file into another, against the original's values. */
class FilesTest {
    @TempDir
    Path folder;

    /** What the library computes is the original's: its own tests say so. */
    @Test
    void dumpsHoldWhatTheModelComputes() throws IOException {
        String name = "images-separate.0";
        for (String model : List.of(D128, GQA7)) {
            String out = folder.resolve("d.safetensors").toString();
            JsonNode dialog = Cli.dialog(model, name);
            List<String> args = new ArrayList<>(List.of("dump", "--out", out));
            args.addAll(Cli.options(model, dialog, folder));
            run(args).succeeded();
            run("compare", out, out, "--tolerance", "0").succeeded();
            String reference = folder.resolve("reference.safetensors").toString();
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            activations(model, dialog).forEach((step, tensor) -> tensors.put(name + "/" + step, tensor));
            Safetensors.write(Path.of(reference), tensors);
            run("compare", out, reference, "--prefix", name + "/", "--tolerance", "0")
                    .succeeded();
            // What a dump has not.
            tensors.put(name + "/greedy_logits", Tensor.allocate(1, 4));
            Safetensors.write(Path.of(reference), tensors);
            Run run = run("compare", out, reference, "--prefix", name + "/");
            assertEquals(1, run.status());
            assertTrue(run.out().contains("decoder.layers.0") && run.out().contains("logits"), run.out());
            List<String> over =
                    run.out().lines().filter(line -> line.contains("<-- over")).toList();
            assertEquals(1, over.size(), run.out());
            assertTrue(over.get(0).startsWith("greedy_logits"), run.out());
        }
    }

    private static Map<String, Tensor> activations(String model, JsonNode dialog) {
        List<Image> images = Cli.images(model, dialog).stream()
                .map(file -> Image.read(Path.of(file)))
                .toList();
        LoadOptions options = LoadOptions.defaults().precision(Precision.F32);
        try (InternVL loaded = InternVL.load(Path.of(model), options)) {
            return loaded.activations(Prompt.of(dialog.get("question").asText(), images))
                    .tensors();
        }
    }

    @Test
    void compareTellsWhereErrorsBegin() {
        Path a = folder.resolve("a.safetensors");
        Path b = folder.resolve("b.safetensors");
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (String name : List.of("decoder.layers.2", "decoder.layers.10", "logits")) {
            Tensor tensor = Tensor.allocate(1, 4);
            tensor.data().put(new float[] {1, 2, 3, 4});
            tensors.put(name, tensor);
        }
        Safetensors.write(a, tensors);
        tensors.get("decoder.layers.10").data().put(new float[] {1, 2, 3, 5});
        tensors.get("logits").data().put(new float[] {1, 2, 3, Float.NaN});
        Safetensors.write(b, tensors);
        Run run = run("compare", b.toString(), a.toString());
        assertEquals(1, run.status());
        assertTrue(run.out().indexOf("layers.2 ") < run.out().indexOf("layers.10 "), run.out());
        assertTrue(run.out().contains("first over the tolerance: decoder.layers.10"), run.out());
        assertEquals(
                2, run.out().lines().filter(line -> line.endsWith("<-- over")).count(), run.out());
        tensors.remove("logits");
        Safetensors.write(b, tensors);
        assertEquals(
                1,
                run("compare", a.toString(), b.toString(), "--tolerance", "9").status());
        run("compare", a.toString(), b.toString(), "--prefix", "x/").failed(1, "x/");
        run("compare", a.toString(), b.toString(), "--tolerance", "NaN").failed(1, "tolerance");
        run("compare", a.toString(), "absent.safetensors").failed(1, "absent.safetensors");
        run("compare", a.toString()).failed(2, "B");
    }

    @ParameterizedTest
    @ValueSource(strings = {"hermes-d128", "hermes-gqa7"})
    void textsHaveTheOriginalsTokens(String name) throws IOException {
        String model = Cli.DATA.resolve(name).toString();
        Path file = folder.resolve("text.txt");
        for (JsonNode vector :
                JSON.readTree(Path.of(model, "expected.json").toFile()).get("tokenizer")) {
            Files.writeString(file, vector.get("text").asText());
            Run run =
                    run("tokenize", "--model", model, "--file", file.toString()).succeeded();
            assertEquals(vector.get("ids"), run.json(), vector.get("text").asText());
        }
    }

    @Test
    void tokensGoThereAndBack() throws IOException {
        String text = "two  spaces 数字🦊\n";
        Path file = folder.resolve("text.txt");
        Files.writeString(file, text);
        Path list = folder.resolve("ids.json");
        Files.writeString(
                list,
                run("tokenize", "--model", D128, "--file", file.toString()).out());
        Run back = run("detokenize", "--model", D128, "--file", list.toString()).succeeded();
        assertEquals(text + System.lineSeparator(), back.out());
        assertEquals(
                JSON.readTree("[6]"),
                run("tokenize", "--model", D128, "--text", "<|im_start|>").json());
        assertTrue(run("tokenize", "--model", D128, "--literal", "--text", "<|im_start|>")
                        .json()
                        .size()
                > 1);
        JsonNode pieces =
                run("tokenize", "--model", D128, "--pieces", "--text", "Hello").json();
        assertEquals(pieces.get("ids").size(), pieces.get("pieces").size());
        assertEquals("", run("detokenize", "--model", D128, "1024").out().strip());
        assertEquals(
                "<img>",
                run("detokenize", "--model", D128, "1024", "--keep-special")
                        .out()
                        .strip());
    }

    @Test
    void byteOrderMarksAreNoTextButWhereTokensAreTold() throws IOException {
        Path file = folder.resolve("marked");
        String ids = run("tokenize", "--model", D128, "--text", "\ufeffHello").out();
        Files.writeString(file, "\ufeffHello");
        assertEquals(
                ids,
                run("tokenize", "--model", D128, "--file", file.toString())
                        .succeeded()
                        .out());
        Files.writeString(file, "\ufeff[1, 2]");
        run("detokenize", "--model", D128, "--file", file.toString()).succeeded();
        Files.writeString(file, "\ufeff[[\"q\", \"a\"]]");
        run("chat", "--model", D128, "--prompt", "x", "--max-new-tokens", "1", "--history", file.toString())
                .succeeded();
    }

    @Test
    void textsAndTokensThatAreNone() throws IOException {
        Path file = folder.resolve("x");
        Files.write(file, new byte[] {'a', (byte) 0xff});
        run("tokenize", "--model", D128, "--file", file.toString()).failed(1, file.toString(), "UTF-8");
        run("tokenize", "--model", D128, "--file", "absent").failed(1, "absent");
        run("tokenize", "--model", D128).failed(2, "--text");
        run("tokenize", "--model", D128, "--text", "a", "--file", "b").failed(2, "--text");
        run("detokenize", "--model", D128).failed(2, "ID");
        run("detokenize", "--model", D128, "99999").failed(1, "99999");
        run("detokenize", "--model", D128, "six").failed(2, "six");
        for (String wrong : List.of("[1, null]", "[1, \"2\"]", "[1.5]", "{}", "null", "[1", "")) {
            Files.writeString(file, wrong);
            run("detokenize", "--model", D128, "--file", file.toString()).failed(1, file.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hermes-d128",
                "hermes-gqa7",
                "internlm2-tiles",
                "qwen2-tied",
                "qwen2-hf",
                "qwen3",
                "llama3-bpe",
                "llama2-zh"
            })
    void preprocessedImagesAreTheProcessors(String name) throws IOException {
        String model = Cli.DATA.resolve(name).toString();
        Path out = folder.resolve("p.safetensors");
        ImageProcessor processor = ImageProcessor.load(Path.of(model), InternVL.inspect(Path.of(model)));
        for (String file : Cli.images(model, Cli.dialog(model, "frames.0"))) {
            run("preprocess", "--model", model, "--image", file, "--out", out.toString())
                    .succeeded();
            Tensor actual = Safetensors.read(out).get("pixel_values");
            assertNotNull(actual);
            assertArrayEquals(processor.preprocess(Image.read(Path.of(file))).toArray(), actual.toArray(), file);
        }
    }

    @Test
    void imagesHaveAtMostSoManyTiles() {
        String model = Cli.DATA.resolve("qwen2-tied").toString();
        Path out = folder.resolve("p.safetensors");
        String images = model + "/images/";
        String[] two = {"--image", images + "wide-800x300.png", images + "square-448x448.png"};
        List<String> common = List.of("preprocess", "--model", model, "--out", out.toString());
        assertEquals(4 + 5, tiles(out, common, two));
        assertEquals(2, tiles(out, common, two[0], two[1], two[2], "--max-tiles", "1"));
        assertEquals(11 + 10, tiles(out, common, two[0], two[1], two[2], "--max-tiles", "12"));
        for (String most : List.of("0", "-1", "1000000")) {
            run(common, two[0], two[1], "--max-tiles", most).failed(1, "max", most, "1024");
        }
        run(common, two[0], two[1], "--max-tiles", "many").failed(2, "--max-tiles", "many");
    }

    private static long tiles(Path out, List<String> common, String... more) {
        run(common, more).succeeded();
        Tensor pixels = Safetensors.read(out).get("pixel_values");
        assertNotNull(pixels);
        return pixels.size(0);
    }
}
