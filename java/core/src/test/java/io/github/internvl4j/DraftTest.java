package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.InvalidOptionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A second checkpoint that guesses: what may be one, and that answers are those without it. */
class DraftTest {
    private static final Path DEMO = DemoModel.DIRECTORY;
    private static final Path QWEN3 = TestData.root().resolve("qwen3");
    private static final LoadOptions OPTIONS = LoadOptions.defaults().threads(2).device(Device.CPU);

    @TempDir
    Path folder;

    @Test
    void answersAreTheSame() {
        try (InternVL alone = InternVL.load(DEMO, OPTIONS);
                InternVL drafted = InternVL.load(DEMO, OPTIONS.draft(DEMO))) {
            for (DemoModel.Dialog dialog : DemoModel.dialogs().subList(0, 6)) {
                GenerationConfig config = DemoModel.CONFIG.topLogprobs(2);
                expectSame(alone.generate(dialog.opening(), config), drafted.generate(dialog.opening(), config));
                GenerationConfig drawn = config.temperature(0.9f).seed(3L);
                expectSame(alone.generate(dialog.opening(), drawn), drafted.generate(dialog.opening(), drawn));
            }
            Counts counts = drafted.counts();
            assertTrue(counts.draftedTokens() > 0, counts::toString);
            assertTrue(counts.rightDraftedTokens() <= counts.draftedTokens(), counts::toString);
            assertEquals(0, counts.draftFailures());
            assertEquals(0, alone.counts().draftedTokens());
        }
    }

    private static void expectSame(Reply expected, Reply actual) {
        assertEquals(expected.tokens(), actual.tokens());
        assertEquals(expected.logprobs(), actual.logprobs());
        assertEquals(expected.alternatives(), actual.alternatives());
        assertEquals(expected.text(), actual.text());
    }

    @Test
    void anyMemberOfTheFamilyWithTheTokenizerMayBeOne() {
        Prompt prompt = Prompt.of("Hello there, what do you see?");
        try (InternVL alone = InternVL.load(QWEN3, OPTIONS);
                InternVL drafted =
                        InternVL.load(QWEN3, OPTIONS.draft(TestData.root().resolve("qwen3-moe")))) {
            GenerationConfig config = GenerationConfig.greedy(30).topLogprobs(2);
            List<Reply> replies = drafted.batch(List.of(prompt, prompt.system("Be brief.")), config);
            expectSame(alone.generate(prompt, config), replies.get(0));
            expectSame(alone.generate(prompt.system("Be brief."), config), replies.get(1));
        }
    }

    @Test
    void anotherTokenizerIsRefusedWithTheFirstDifference() throws IOException {
        refused(DEMO, QWEN3, "its vocabulary has 768 tokens, but that of " + DEMO + " has 841");
        Path copy = copy(DEMO);
        for (String name : List.of("added_tokens.json", "special_tokens_map.json", "tokenizer_config.json")) {
            Path file = copy.resolve(name);
            Files.writeString(file, Files.readString(file).replace("\"<quad>\"", "\"<QUAD>\""));
        }
        refused(DEMO, copy, "is '<QUAD>', but '<quad>' in " + DEMO);
    }

    private static void refused(Path model, Path draft, String difference) {
        InternVLException failure =
                assertThrows(InvalidOptionException.class, () -> InternVL.load(model, OPTIONS.draft(draft)));
        String message = String.valueOf(failure.getMessage());
        assertTrue(message.startsWith("draft is " + draft), message);
        assertTrue(message.contains(difference), message);
    }

    @Test
    void aDamagedDraftIsRefused() throws IOException {
        Path copy = copy(DEMO);
        Files.delete(copy.resolve("model.safetensors"));
        CheckpointException failure =
                assertThrows(CheckpointException.class, () -> InternVL.load(DEMO, OPTIONS.draft(copy)));
        assertTrue(String.valueOf(failure.getMessage()).contains(copy.toString()), failure::getMessage);
    }

    @Test
    void itsMemoryCounts() {
        MemoryPlan alone = InternVL.plan(DEMO, OPTIONS.maxBatch(2));
        MemoryPlan both = InternVL.plan(DEMO, OPTIONS.maxBatch(2).draft(DEMO));
        assertEquals(0, alone.draft());
        assertEquals(alone.total(), both.draft());
        assertEquals(2 * alone.total(), both.total());
        LoadOptions tight = OPTIONS.draft(DEMO)
                .memoryLimit(2 * InternVL.plan(DEMO, OPTIONS.maxBatch(1)).total());
        assertEquals(1, InternVL.plan(DEMO, tight).maxBatch(), "as many as both have room for");
        assertTrue(alone.maxBatch() > 1);
        InsufficientMemoryException failure = assertThrows(
                InsufficientMemoryException.class,
                () -> InternVL.load(DEMO, tight.memoryLimit(tight.memoryLimit() - 1)));
        assertTrue(String.valueOf(failure.getMessage()).contains("its draft in " + DEMO), failure::getMessage);
        InternVL.load(DEMO, tight).close();
        assertTrue(InternVL.plan(DEMO, OPTIONS.maxBatch(2).draft(DEMO).contextLength(512))
                        .draft()
                < both.draft());
    }

    private Path copy(Path from) throws IOException {
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        return folder;
    }
}
