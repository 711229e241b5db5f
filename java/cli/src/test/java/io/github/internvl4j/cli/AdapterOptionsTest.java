package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.GQA7;
import static io.github.internvl4j.cli.Cli.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.tensor.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters at the command line, beside the weights and merged into them. */
class AdapterOptionsTest {
    private static final Path ADAPTER = Path.of(GQA7, "adapter");

    @TempDir
    Path folder;

    /** What the original answers to a text with these weights. */
    private static JsonNode original(String weights) throws IOException {
        JsonNode answers =
                Cli.JSON.readTree(ADAPTER.resolve("expected.json").toFile()).get("answers");
        for (JsonNode answer : answers) {
            if (answer.get("prompt").asText().equals("text")
                    && answer.get("weights").asText().equals(weights)) {
                return answer.get("greedy_tokens");
            }
        }
        throw new IllegalStateException("no answer with " + weights);
    }

    private JsonNode dialog() throws IOException {
        for (JsonNode dialog : Cli.dialogs(GQA7)) {
            if (dialog.get("name").asText().equals("text.0")) {
                return dialog;
            }
        }
        throw new IllegalStateException("no dialog text.0");
    }

    private JsonNode tokens(String model, String... more) throws IOException {
        List<String> args = new ArrayList<>(List.of("chat", "--json", "--max-new-tokens", "12"));
        args.addAll(Cli.options(GQA7, dialog(), folder));
        args.set(args.indexOf("--model") + 1, model);
        return run(args, more).succeeded().json().get("tokens");
    }

    @Test
    void answersWithAnAdapterAreTheOriginals() throws IOException {
        assertEquals(original("adapter"), tokens(GQA7, "--adapter", ADAPTER.toString()));
        assertEquals(original("base"), tokens(GQA7, "--adapter", ADAPTER + "=0"));
        assertEquals(original("adapter"), tokens(GQA7, "--adapter", ADAPTER + "=0.25", "--adapter", ADAPTER + "=0.75"));
    }

    @Test
    void answersOfMergedCheckpointsAreTheOriginals() throws IOException {
        for (String rounding : List.of("once", "in-type")) {
            String merged = folder.resolve(rounding).toString();
            run("merge", "--model", GQA7, "--adapter", ADAPTER.toString(), "--out", merged, "--rounding", rounding)
                    .succeeded();
            assertEquals(original(rounding.equals("once") ? "merged" : "merged_in_type"), tokens(merged));
        }
    }

    @Test
    void aBatchAndADumpHaveTheAdapterToo() throws IOException {
        Path input = folder.resolve("in.jsonl");
        Path output = folder.resolve("out.jsonl");
        Files.writeString(input, "{\"prompt\": \"Hello\"}\n");
        List<String> batch = List.of(
                "batch", "--model", GQA7, "--input", input.toString(), "--output", output.toString(), "--overwrite");
        run(batch).succeeded();
        String plain = Files.readString(output);
        run(batch, "--adapter", ADAPTER.toString()).succeeded();
        assertNotEquals(plain, Files.readString(output));

        Path one = folder.resolve("one.safetensors");
        Path two = folder.resolve("two.safetensors");
        List<String> dump = List.of("dump", "--model", GQA7, "--prompt", "Hello", "--out");
        run(dump, one.toString()).succeeded();
        run(dump, two.toString(), "--adapter", ADAPTER.toString()).succeeded();
        assertNotEquals(
                Safetensors.read(one).get("logits").data(),
                Safetensors.read(two).get("logits").data());
        assertEquals(
                Safetensors.read(one).get("decoder.embeddings").data(),
                Safetensors.read(two).get("decoder.embeddings").data());
    }

    @Test
    void whatIsWrongIsSaidByName() {
        List<String> hello = List.of("chat", "--model", GQA7, "--prompt", "Hello");
        run(hello, "--adapter", folder.toString()).failed(1, "adapter_model.safetensors", folder.toString());
        run(hello, "--adapter", ADAPTER + "=NaN").failed(1, "adapter", "finite");
        run("merge", "--model", GQA7, "--out", folder.resolve("out").toString()).failed(1, "no pairs of its own");
        assertTrue(run("merge", "--model", GQA7, "--out", "x", "--rounding", "up")
                .err()
                .contains("once or in-type"));
    }

    @Test
    void aWeightIsANumberBehindTheLastSign() {
        assertEquals(new AdapterOptions.Choice("a=b", 0.5f), AdapterOptions.Choice.of("a=b=0.5"));
        assertEquals(new AdapterOptions.Choice("a=b", 1), AdapterOptions.Choice.of("a=b"));
        assertEquals(new AdapterOptions.Choice("a", -2), AdapterOptions.Choice.of("a=-2"));
        assertEquals(new AdapterOptions.Choice("=1", 1), AdapterOptions.Choice.of("=1"));
    }
}
