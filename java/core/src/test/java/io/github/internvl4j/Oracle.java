package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.tensor.Safetensors;
import io.github.internvl4j.tensor.Tensor;
import io.github.internvl4j.text.Turn;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The small checkpoints of test-data with what the original model answers and computes. */
record Oracle(Path directory, List<Dialog> dialogs) {
    /** Every checkpoint there is: of all families, tiled and not, in both layouts. */
    static Stream<String> family() {
        return TestData.checkpoints().stream()
                .map(folder -> folder.getFileName().toString());
    }

    /** Checkpoints with an image in one square: head size 128, bf16, two shards; and 7 query heads on one key/value head, f16, one file. */
    static Stream<String> names() {
        return Stream.of("hermes-d128", "hermes-gqa7");
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    private record Expected(List<Dialog> dialogs) {}

    /** One question with everything the original made of it. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Dialog(
            String name,
            List<String> images,
            @JsonProperty("num_patches_list") List<Integer> tiles,
            @JsonProperty("max_tiles") @Nullable Integer maxTiles,
            @Nullable String system,
            String question,
            List<List<String>> history,
            @JsonProperty("input_ids") List<Integer> inputIds,
            @JsonProperty("greedy_tokens") List<Integer> greedyTokens,
            String response,
            @JsonProperty("bfloat16_relative_error") Map<String, Double> bfloat16Error) {}

    static Oracle load(String name) {
        Path directory = TestData.root().resolve(name);
        try {
            return new Oracle(
                    directory,
                    new ObjectMapper()
                            .readValue(directory.resolve("expected.json").toFile(), Expected.class)
                            .dialogs());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Dialog dialog(String name) {
        return dialogs.stream().filter(d -> d.name().equals(name)).findFirst().orElseThrow();
    }

    /** How the original's answers were drawn: those that did not end by themselves were cut at one length. */
    GenerationConfig config() {
        return GenerationConfig.greedy(dialogs.stream()
                .mapToInt(dialog -> dialog.greedyTokens().size())
                .max()
                .orElseThrow());
    }

    Image image(String file) {
        return Image.read(directory.resolve("images").resolve(file));
    }

    Prompt prompt(Dialog dialog) {
        List<Image> images = dialog.images().stream().map(this::image).toList();
        boolean combined = dialog.tiles().size() < images.size();
        List<List<Image>> entries =
                combined ? List.of(images) : images.stream().map(List::of).toList();
        List<Turn> history = dialog.history().stream()
                .map(turn -> Turn.of(turn.get(0), turn.get(1)))
                .toList();
        return Prompt.of(dialog.question())
                .history(history)
                .images(entries)
                .system(dialog.system())
                .maxTiles(dialog.maxTiles());
    }

    /**
     * Every activation of a dialog with two images: in f32 within the rounding of another order of sums, in 16-bit types by
     * FlashAttention's rule, at most twice the error of PyTorch in bfloat16.
     */
    void assertActivations(InternVL model, Precision precision) {
        Dialog dialog = dialog("images-separate.0");
        Map<String, Tensor> expected = activations();
        Activations activations = model.activations(prompt(dialog));
        assertEquals(dialog.inputIds(), activations.promptTokens());
        assertEquals(dialog.bfloat16Error().keySet(), activations.tensors().keySet());
        activations.tensors().forEach((name, tensor) -> {
            Tensor reference = expected.get(dialog.name() + "/" + name);
            double error = TestData.sameRows(tensor, reference).relativeError(reference);
            double bound = precision == Precision.F32
                    ? 1e-4
                    : 2 * dialog.bfloat16Error().get(name) + 1e-3;
            assertTrue(error <= bound, name + ": relative error " + error + " over " + bound);
        });
    }

    Map<String, Tensor> activations() {
        return Safetensors.read(directory.resolve("activations.safetensors"));
    }
}
