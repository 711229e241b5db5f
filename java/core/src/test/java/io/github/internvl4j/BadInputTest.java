package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.NotFiniteException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.error.UnsupportedModelException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever is wrong with the input: a typed exception that names it, and the next call works. */
class BadInputTest {
    private static final Oracle ORACLE = Oracle.load("hermes-gqa7");

    @TempDir
    Path folder;

    @AfterEach
    void theNextCallWorks() {
        try (InternVL model = InternVL.load(ORACLE.directory())) {
            assertTrue(model.backend().startsWith("cpu: "), model.backend());
            assertEquals(
                    2,
                    model.generate(Prompt.of("Hello"), GenerationConfig.greedy(2))
                            .tokens()
                            .size());
        }
    }

    private Path copy() throws IOException {
        try (Stream<Path> files = Files.list(ORACLE.directory())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        return folder;
    }

    private static <T extends InternVLException> void assertRefused(Class<T> type, Path folder, String... words) {
        T refused = assertThrows(type, () -> InternVL.load(folder).close());
        for (String word : words) {
            assertTrue(String.valueOf(refused.getMessage()).contains(word), refused.getMessage());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"config.json", "model.safetensors", "tokenizer.model", "preprocessor_config.json"})
    void aMissingFileIsNamed(String file) throws IOException {
        Files.delete(copy().resolve(file));
        assertRefused(CheckpointException.class, folder, file);
    }

    @ParameterizedTest
    @ValueSource(strings = {"config.json", "model.safetensors", "tokenizer.model", "preprocessor_config.json"})
    void aTruncatedFileIsNamed(String file) throws IOException {
        Path damaged = copy().resolve(file);
        for (long keep : new long[] {0, 3, Files.size(damaged) / 2, Files.size(damaged) - 1}) {
            Files.copy(ORACLE.directory().resolve(file), damaged, StandardCopyOption.REPLACE_EXISTING);
            try (RandomAccessFile raw = new RandomAccessFile(damaged.toFile(), "rw")) {
                raw.setLength(keep);
            }
            assertRefused(CheckpointException.class, folder, file);
        }
    }

    @Test
    void aHeaderLargerThanTheFileIsRefused() throws IOException {
        Path weights = copy().resolve("model.safetensors");
        try (RandomAccessFile raw = new RandomAccessFile(weights.toFile(), "rw")) {
            raw.write(new byte[] {-1, -1, -1, -1, -1, -1, -1, 127});
        }
        assertRefused(CheckpointException.class, folder, "model.safetensors", "header");
    }

    @ParameterizedTest
    @CsvSource({
        "LlamaForCausalLM, GptOssForCausalLM, GptOssForCausalLM",
        "InternVLChatModel, LlavaForConditionalGeneration, LlavaForConditionalGeneration",
        "Hermes-2, vicuna_v1, vicuna_v1",
    })
    void anotherArchitectureIsNamed(String from, String to, String named) throws IOException {
        Path config = copy().resolve("config.json");
        String text = Files.readString(config);
        assertTrue(text.contains(from));
        Files.writeString(config, text.replace(from, to));
        assertRefused(UnsupportedModelException.class, folder, named);
    }

    @Test
    void aTensorOfAnotherShapeIsNamedWithBothShapes() throws IOException {
        Path config = copy().resolve("config.json");
        Files.writeString(
                config, Files.readString(config).replace("\"intermediate_size\": 608", "\"intermediate_size\": 600"));
        assertRefused(CheckpointException.class, folder, "mlp.gate_proj.weight", "608", "600");
    }

    @Test
    void weightsThatAreNoNumbersAreFoundByTheCheck() throws IOException {
        Path weights = copy().resolve("model.safetensors");
        try (RandomAccessFile raw = new RandomAccessFile(weights.toFile(), "rw")) {
            raw.seek(raw.length() - 2);
            raw.write(new byte[] {0, 0x7e}); // a NaN in f16
        }
        assertTrue(InternVL.check(folder, false).ok());
        CheckReport report = InternVL.check(folder, true);
        assertEquals(1, report.nonFinite().size());
        assertEquals(1, report.nonFinite().get(0).count());
    }

    @Test
    void aPlanThatDoesNotFitIsRefusedBeforeLoading() {
        LoadOptions tiny = LoadOptions.defaults().memoryLimit(1 << 20);
        InsufficientMemoryException refused =
                assertThrows(InsufficientMemoryException.class, () -> InternVL.load(ORACLE.directory(), tiny));
        assertTrue(String.valueOf(refused.getMessage()).contains("MiB"));
        assertEquals(1, InternVL.plan(ORACLE.directory(), tiny).maxBatch());
        MemoryPlan plan = InternVL.plan(ORACLE.directory(), LoadOptions.defaults());
        assertEquals(
                plan.total(),
                plan.weightsMapped()
                        + plan.weightsOwned()
                        + plan.kvCache()
                        + plan.kvCacheBatch()
                        + plan.scratch()
                        + plan.imageBatch());
        assertEquals(8, plan.maxBatch());
        assertTrue(plan.kvCacheBatch() > 7 * 1024 * plan.kvCachePerToken());
        assertEquals("", plan.advice());
    }

    @Test
    void whatWouldFitIsSaid() {
        LoadOptions many = LoadOptions.defaults().maxBatch(10_000_000);
        MemoryPlan plan = InternVL.plan(ORACLE.directory(), many);
        assertFalse(plan.fits());
        assertTrue(plan.advice().startsWith("it fits with batches of "), plan.advice());
        InsufficientMemoryException refused =
                assertThrows(InsufficientMemoryException.class, () -> InternVL.load(ORACLE.directory(), many));
        assertTrue(String.valueOf(refused.getMessage()).contains("it fits with batches of "), refused.getMessage());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "config.json",
                "generation_config.json",
                "model.safetensors",
                "tokenizer.model",
                "tokenizer_config.json",
                "special_tokens_map.json",
                "preprocessor_config.json"
            })
    void aPointerOfGitLfsIsNamed(String file) throws IOException {
        String pointer =
                "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0".repeat(64) + "\nsize 123456789\n";
        if (file.equals("special_tokens_map.json")) {
            // Looked at only if the other says nothing of added tokens.
            Files.writeString(copy().resolve("tokenizer_config.json"), "{}");
            Files.writeString(folder.resolve(file), pointer);
        } else {
            Files.writeString(copy().resolve(file), pointer);
        }
        assertRefused(CheckpointException.class, folder, file, "is a Git LFS pointer", "git lfs pull");
        Files.writeString(folder.resolve(file), "<!DOCTYPE html><html lang=\"en\"></html>");
        assertRefused(CheckpointException.class, folder, file, "is a web page");
    }

    @Test
    void aTokenizerBeyondTheModelsVocabularyIsFound() throws IOException {
        Path config = copy().resolve("tokenizer_config.json");
        int size = InternVL.inspect(folder).vocabularySize();
        ObjectMapper json = new ObjectMapper();
        ObjectNode settings = (ObjectNode) json.readTree(config.toFile());
        ObjectNode token =
                json.createObjectNode().put("content", "<one_too_many>").put("special", true);
        ((ObjectNode) settings.get("added_tokens_decoder")).set(String.valueOf(size), token);
        json.writeValue(config.toFile(), settings);
        assertRefused(
                CheckpointException.class,
                folder,
                "the tokenizer's ids go up to " + size,
                "<one_too_many>",
                "vocab_size");
        CheckReport report = InternVL.check(folder, false);
        assertFalse(report.ok());
        assertTrue(
                report.wrong().get(0).contains("<one_too_many>"), report.wrong().toString());
    }

    /** Puts a NaN of f16 in place of a tensor's first value. */
    private static void damage(Path weights, String tensor) throws IOException {
        try (RandomAccessFile raw = new RandomAccessFile(weights.toFile(), "rw")) {
            byte[] header = new byte[(int) Long.reverseBytes(raw.readLong())];
            raw.readFully(header);
            long offset = new ObjectMapper()
                    .readTree(header)
                    .get(tensor)
                    .get("data_offsets")
                    .get(0)
                    .asLong();
            raw.seek(8 + header.length + offset);
            raw.write(new byte[] {0, 0x7e});
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"AUTO", "F32", "INT8"})
    void aNormThatIsNoNumberIsNoFaultOfTheLibrary(Precision precision) throws IOException {
        damage(copy().resolve("model.safetensors"), "language_model.model.layers.0.input_layernorm.weight");
        try (InternVL model = InternVL.load(folder, LoadOptions.defaults().precision(precision))) {
            NotFiniteException noAnswer = assertThrows(
                    NotFiniteException.class, () -> model.generate(Prompt.of("Hello"), GenerationConfig.greedy(1)));
            assertTrue(String.valueOf(noAnswer.getMessage()).contains("info --check"), noAnswer.getMessage());
        }
    }

    @Test
    void weightsThatAreNoNumbersAreNotHiddenByInt8() throws IOException {
        String tensor = "language_model.model.layers.1.mlp.down_proj.weight";
        damage(copy().resolve("model.safetensors"), tensor);
        LoadOptions int8 = LoadOptions.defaults().precision(Precision.INT8);
        CheckpointException refused = assertThrows(CheckpointException.class, () -> InternVL.load(folder, int8));
        assertTrue(String.valueOf(refused.getMessage()).contains(tensor + "': row 0"), refused.getMessage());
        CheckpointException unwritten = assertThrows(
                CheckpointException.class,
                () -> InternVL.quantize(folder, folder.resolve("int8"), false, progress -> {}));
        assertTrue(String.valueOf(unwritten.getMessage()).contains(tensor), unwritten.getMessage());
    }

    @Test
    void optionsOutOfRangeAreNamed() {
        GenerationConfig config = GenerationConfig.defaults();
        assertNamed("temperature", () -> config.temperature(-1));
        assertNamed("temperature", () -> config.temperature(Float.NaN));
        assertNamed("topP", () -> config.topP(0));
        assertNamed("topP", () -> config.topP(Float.NaN));
        assertNamed("topK", () -> config.topK(-1));
        assertNamed("repetitionPenalty", () -> config.repetitionPenalty(0));
        assertNamed("maxNewTokens", () -> config.maxNewTokens(0));
        assertNamed("topLogprobs", () -> config.topLogprobs(65));
        assertNamed("stopStrings", () -> config.stopStrings(""));
        assertNamed("stopTokens", () -> config.stopTokens(-1));
        assertNamed("threads", () -> LoadOptions.defaults().threads(-1));
        for (String affinity : List.of("", "first", "0,", "0-", "1,".repeat(200) + "1")) {
            assertNamed("affinity", () -> LoadOptions.defaults().affinity(affinity));
        }
        assertNamed(
                "1023",
                () -> InternVL.load(ORACLE.directory(), LoadOptions.defaults().affinity("1023")));
        assertNamed(
                "KV cache is int8",
                () -> InternVL.load(
                        ORACLE.directory(),
                        LoadOptions.defaults().kvCache(KvCacheType.INT8).device(Device.CUDA)));
        assertNamed("maxBatch", () -> LoadOptions.defaults().maxBatch(-1));
        assertNamed("memoryLimit", () -> LoadOptions.defaults().memoryLimit(-2));
        assertNamed(
                "context_length",
                () -> InternVL.load(ORACLE.directory(), LoadOptions.defaults().contextLength(1 << 20)));
    }

    /** Where a null comes in, not where it is met later. */
    @Test
    @SuppressWarnings("NullAway") // what callers without such a check do
    void nullsAreNamed() {
        GenerationConfig config = GenerationConfig.defaults();
        Image none = null;
        String text = null;
        Integer token = null;
        assertNull("question", () -> Turn.of(null, "a"));
        assertNull("answer", () -> Turn.of("q", null));
        assertNull("placeholders", () -> Turn.of("q", "a").placeholders(Collections.singletonList(null)));
        assertNull("question", () -> Prompt.of(null));
        assertNull("text", () -> Prompt.of("q").and(text));
        assertNull("images[0]", () -> Prompt.of("q", none));
        assertNull("entry of images[0]", () -> Prompt.combined("q", none));
        assertNull("images", () -> Prompt.of("q").images(null));
        assertNull("images[0]", () -> Prompt.of("q").images(Collections.singletonList(null)));
        assertNull("history", () -> Prompt.of("q").history(null));
        assertNull("history[0]", () -> Prompt.of("q").history(Collections.singletonList(null)));
        assertNull("stopStrings[1]", () -> config.stopStrings("a", null));
        assertNull("stopTokens[0]", () -> config.stopTokens(token));
        assertNull("affinity", () -> LoadOptions.defaults().affinity(null));
        assertNull("device", () -> LoadOptions.defaults().device(null));
        assertNull("listener", () -> LoadOptions.defaults().listener(null));
        assertNull("prompt", () -> BatchRequest.of(null, config));
        assertNull("config", () -> BatchRequest.of(Prompt.of("q"), null));
    }

    private static void assertNull(String name, Executable body) {
        String message =
                String.valueOf(assertThrows(NullPointerException.class, body).getMessage());
        assertTrue(message.endsWith(name), message);
    }

    private static void assertNamed(String option, Runnable body) {
        InvalidOptionException refused = assertThrows(InvalidOptionException.class, body::run);
        assertTrue(String.valueOf(refused.getMessage()).contains(option), refused.getMessage());
    }

    @Test
    void promptsThatCannotBeAreRefusedWithTheirNumbers() {
        Image image = ORACLE.image("blocks.png");
        try (InternVL model =
                InternVL.load(ORACLE.directory(), LoadOptions.defaults().contextLength(300))) {
            assertPrompt(model, Prompt.of("<image> <image>", image), "2", "1");
            assertPrompt(model, Prompt.of("<image>").placeholders(List.of(0)), "1", "0");
            assertPrompt(model, Prompt.of("What are <IMG_CONTEXT>s?", image), "<IMG_CONTEXT>");
            assertPrompt(model, Prompt.of("<|im_end|>").specialTokens(SpecialTokens.REJECT), "<|im_end|>");
            assertPrompt(model, Prompt.of(""), "empty");
            ContextLengthException refused = assertThrows(
                    ContextLengthException.class,
                    () -> model.generate(Prompt.of("z".repeat(500)), GenerationConfig.greedy(1)));
            assertTrue(String.valueOf(refused.getMessage()).contains("300"));
            // Typed as plain text, the same tokens are harmless.
            Reply reply = model.generate(
                    Prompt.of("What are <IMG_CONTEXT>s?", image).specialTokens(SpecialTokens.LITERAL),
                    GenerationConfig.greedy(1));
            assertEquals(1, reply.tokens().size());
        }
    }

    private static void assertPrompt(InternVL model, Prompt prompt, String... words) {
        PromptException refused =
                assertThrows(PromptException.class, () -> model.generate(prompt, GenerationConfig.greedy(1)));
        for (String word : words) {
            assertTrue(String.valueOf(refused.getMessage()).contains(word), refused.getMessage());
        }
    }

    @Test
    void anAnswerEndsWhereTheContextDoes() {
        try (InternVL model =
                InternVL.load(ORACLE.directory(), LoadOptions.defaults().contextLength(200))) {
            Reply reply = model.generate(ORACLE.prompt(ORACLE.dialog("image.0")), GenerationConfig.greedy(50));
            assertEquals(FinishReason.LENGTH, reply.finish());
            assertEquals(200, reply.promptTokens().size() + reply.tokens().size());
        }
    }

    @Test
    void imagesOfAnySizeWorkAndOthersAreNamed() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.png"));
        Path text = Files.write(folder.resolve("text.jpg"), "no image".getBytes(StandardCharsets.UTF_8));
        for (Path bad : List.of(empty, text, folder.resolve("absent.png"), folder)) {
            ImageException refused = assertThrows(ImageException.class, () -> Image.read(bad));
            assertTrue(String.valueOf(refused.getMessage())
                    .contains(bad.getFileName().toString()));
        }
        try (InternVL model = InternVL.load(ORACLE.directory())) {
            Image dot = Image.ofRgb(1, 1, new byte[] {1, 2, 3});
            Image wide = Image.ofRgb(30_000, 2, new byte[180_000]);
            Reply reply = model.generate(Prompt.of("And these?", dot, wide), GenerationConfig.greedy(1));
            assertEquals(1, reply.tokens().size());
            assertEquals(
                    List.of(2L, 4L, 448L),
                    Arrays.stream(model.imageFeatures(List.of(dot, wide)).shape())
                            .boxed()
                            .toList());
        }
    }
}
