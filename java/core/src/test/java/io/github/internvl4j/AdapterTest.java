package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.UnsupportedModelException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.Turn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters beside the weights, chosen by each request, and merged into them. */
class AdapterTest {
    private static final Oracle ORACLE = Oracle.load("hermes-gqa7");
    private static final LoadOptions F32 = LoadOptions.defaults().precision(Precision.F32);

    private static InternVL model;
    private static Adapter adapter;

    @BeforeAll
    static void load() {
        model = InternVL.load(ORACLE.directory(), F32);
        adapter = model.loadAdapter(TestAdapters.ofOracle());
    }

    @AfterAll
    static void close() {
        adapter.close();
        model.close();
    }

    /** What the original answered to a text with these weights: adapter, merged, merged_in_type or base. */
    private static void assertOriginal(InternVL model, GenerationConfig config, String weights) throws IOException {
        JsonNode answers = new ObjectMapper()
                .readTree(TestAdapters.ofOracle().resolve("expected.json").toFile())
                .get("answers");
        for (JsonNode answer : answers) {
            if (!answer.get("prompt").asText().equals("text")
                    || !answer.get("weights").asText().equals(weights)) {
                continue;
            }
            List<Integer> tokens = integers(answer.get("greedy_tokens"));
            Reply reply = model.complete(
                    integers(answer.get("input_ids")),
                    "",
                    config.maxNewTokens(tokens.size()),
                    ReplyListener.none(),
                    null);
            assertEquals(tokens, reply.tokens(), weights);
            return;
        }
        throw new IllegalStateException("no answer with " + weights);
    }

    private static List<Integer> integers(JsonNode array) {
        List<Integer> integers = new ArrayList<>();
        array.forEach(each -> integers.add(each.asInt()));
        return integers;
    }

    private static GenerationConfig greedy(Map<Adapter, Float> adapters) {
        return GenerationConfig.greedy(6).adapters(adapters);
    }

    @Test
    void answersBesideTheWeightsAreTheOriginals() throws IOException {
        assertOriginal(model, GenerationConfig.defaults().adapter(adapter), "adapter");
        assertOriginal(model, GenerationConfig.defaults(), "base");
        assertOriginal(model, GenerationConfig.defaults().adapters(Map.of(adapter, 0f)), "base");
        assertFalse(adapter.seesImages());
        assertTrue(adapter.bytes() > 100_000);
        assertEquals(TestAdapters.ofOracle(), adapter.directory());
    }

    @Test
    void mergedAnswersAreTheOriginals(@TempDir Path folder) throws IOException {
        for (MergeRounding rounding : MergeRounding.values()) {
            Path merged = folder.resolve(rounding.name());
            InternVL.merge(ORACLE.directory(), TestAdapters.ofOracle(), merged, rounding, progress -> {});
            assertTrue(InternVL.check(merged, true).ok());
            try (InternVL other = InternVL.load(merged, F32)) {
                String weights = rounding == MergeRounding.ONCE ? "merged" : "merged_in_type";
                assertOriginal(other, GenerationConfig.defaults(), weights);
            }
        }
        assertThrows(
                InvalidOptionException.class,
                () -> InternVL.merge(
                        ORACLE.directory(), null, folder.resolve("none"), MergeRounding.ONCE, progress -> {}));
    }

    @Test
    void aBatchWithThreeAdaptersHasEachAnswerAsAlone(@TempDir Path one, @TempDir Path two) {
        try (Adapter first = model.loadAdapter(TestAdapters.random(ORACLE.directory(), one, 1));
                Adapter second = model.loadAdapter(TestAdapters.random(ORACLE.directory(), two, 2))) {
            List<GenerationConfig> configs = List.of(
                    greedy(Map.of(adapter, 1f)),
                    greedy(Map.of(first, 1f, second, 0.5f)),
                    greedy(Map.of(second, -1f)),
                    greedy(Map.of()));
            Prompt prompt = ORACLE.prompt(ORACLE.dialog("image.0"));
            List<Reply> alone = configs.stream()
                    .map(config -> model.generate(prompt, config))
                    .toList();
            CollectedReplies together = new CollectedReplies(configs.size());
            Iterator<Supplier<BatchRequest>> requests = configs.stream()
                    .<Supplier<BatchRequest>>map(config -> () -> BatchRequest.of(prompt, config))
                    .iterator();
            model.batch(requests, together, null);
            for (int i = 0; i < configs.size(); i++) {
                assertEquals(alone.get(i).tokens(), together.all().get(i).tokens());
                assertEquals(alone.get(i).logprobs(), together.all().get(i).logprobs());
                for (int j = 0; j < i; j++) {
                    assertNotEquals(alone.get(i).logprobs(), alone.get(j).logprobs(), i + " and " + j);
                }
            }
        }
    }

    @Test
    void aChatIsAskedWithAndWithout() {
        Image image = ORACLE.image("blocks.png");
        try (Chat chat = model.chat(ChatOptions.defaults().config(greedy(Map.of(adapter, 1f))))) {
            Reply with = chat.ask("What is it?", image);
            Reply fresh = model.generate(Prompt.of("What is it?", image), greedy(Map.of(adapter, 1f)));
            assertEquals(fresh.tokens(), with.tokens());
            Reply without = chat.ask("And now?", GenerationConfig.greedy(6));
            Prompt whole = Prompt.of("And now?", image).history(List.of(Turn.of("<image>\nWhat is it?", with.text())));
            assertEquals(model.generate(whole, GenerationConfig.greedy(6)).tokens(), without.tokens());
        }
    }

    @Test
    void whatRunsKeepsAnAdapterThatIsClosed(@TempDir Path folder) {
        Adapter closed = model.loadAdapter(TestAdapters.random(ORACLE.directory(), folder, 3));
        GenerationConfig config = greedy(Map.of(closed, 1f)).maxNewTokens(40);
        List<Integer> expected =
                model.generate(Prompt.of("Tell me a story."), config).tokens();
        try (ReplyStream stream = model.stream(Prompt.of("Tell me a story."), config)) {
            Iterator<Chunk> chunks = stream.iterator();
            chunks.next();
            closed.close();
            chunks.forEachRemaining(chunk -> {});
            assertEquals(expected, stream.reply().tokens());
        }
        assertThrows(ClosedException.class, () -> model.generate(Prompt.of("Hello"), config));
    }

    @Test
    void whatIsNoAdapterOfTheModelIsRefusedByName(@TempDir Path folder) throws IOException {
        Path demo = TestAdapters.random(TestData.root().resolve("demo"), folder, 1);
        InternVLException other = assertThrows(CheckpointException.class, () -> model.loadAdapter(demo));
        assertTrue(other.getMessage().contains("lora_A.weight"), other::getMessage);
        Files.writeString(folder.resolve("adapter_config.json"), "{\"peft_type\": \"LORA\", \"use_dora\": true}");
        InternVLException dora = assertThrows(UnsupportedModelException.class, () -> model.loadAdapter(folder));
        assertTrue(dora.getMessage().contains("use_dora"), dora::getMessage);
        try (InternVL twin = InternVL.load(ORACLE.directory(), F32)) {
            assertThrows(
                    InvalidOptionException.class, () -> twin.generate(Prompt.of("Hello"), greedy(Map.of(adapter, 1f))));
        }
        assertThrows(InvalidOptionException.class, () -> greedy(Map.of(adapter, Float.NaN)));
    }
}
