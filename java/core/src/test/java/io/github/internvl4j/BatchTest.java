package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.PromptException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchTest {
    private static final Oracle ORACLE = Oracle.load("hermes-d128");

    /** Log-probabilities are floats that depend on every bit of the logits: equal ones mean equal logits. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void aBatchGivesTheSameBitsAsEachPromptAlone(int together) {
        GenerationConfig config = GenerationConfig.greedy(12).topLogprobs(5);
        List<Prompt> prompts = ORACLE.dialogs().stream().map(ORACLE::prompt).toList();
        for (int threads : new int[] {1, 2}) {
            LoadOptions options = LoadOptions.defaults().threads(threads).maxBatch(together);
            try (InternVL model = InternVL.load(ORACLE.directory(), options);
                    InternVL alone = InternVL.load(
                            ORACLE.directory(), LoadOptions.defaults().threads(1))) {
                List<Reply> replies = model.batch(prompts, config);
                for (int i = 0; i < prompts.size(); i++) {
                    Reply single = alone.generate(prompts.get(i), config);
                    assertEquals(single.tokens(), replies.get(i).tokens());
                    assertEquals(single.logprobs(), replies.get(i).logprobs());
                    assertEquals(single.alternatives(), replies.get(i).alternatives());
                }
            }
        }
    }

    @Test
    void sampledAnswersDependOnTheirSeedAndNotOnTheirCompany() {
        GenerationConfig config = GenerationConfig.sampling(0.9f, 7).topP(0.95f).maxNewTokens(12);
        Prompt prompt = ORACLE.prompt(ORACLE.dialog("image.0"));
        Prompt other = ORACLE.prompt(ORACLE.dialog("text.0"));
        try (InternVL model = InternVL.load(ORACLE.directory())) {
            Reply alone = model.generate(prompt, config);
            List<Reply> together = model.batch(List.of(other, prompt, other), config);
            assertEquals(alone.tokens(), together.get(1).tokens());
            assertFalse(
                    alone.tokens().equals(model.generate(prompt, config.seed(8)).tokens()));
        }
    }

    @Test
    void oneBadRequestFailsAlone() {
        GenerationConfig config = GenerationConfig.greedy(4);
        Prompt good = Prompt.of("Hello");
        List<Supplier<BatchRequest>> requests = List.of(
                () -> BatchRequest.of(good, config),
                () -> {
                    throw new ImageException("image.png: no such file");
                },
                () -> BatchRequest.of(Prompt.of("x".repeat(20_000)), config),
                () -> BatchRequest.of(good, config));
        Kept kept = new Kept();
        try (InternVL model = InternVL.load(ORACLE.directory())) {
            model.batch(requests.iterator(), kept, null);
            assertThrows(
                    ContextLengthException.class,
                    () -> model.batch(List.of(good, Prompt.of("x".repeat(20_000))), config));
        }
        assertEquals(Set.of(0, 3), kept.replies.keySet());
        assertEquals(Set.of(1, 2), kept.failures.keySet());
        assertInstanceOf(ImageException.class, kept.failures.get(1));
        assertInstanceOf(ContextLengthException.class, kept.failures.get(2));
        assertTrue(String.valueOf(kept.failures.get(2).getMessage()).contains("4096"));
    }

    /** Replies and failures by their numbers. */
    private static class Kept implements BatchListener {
        private final Map<Integer, Reply> replies = new HashMap<>();
        private final Map<Integer, InternVLException> failures = new HashMap<>();

        @Override
        public void onReply(int index, Reply reply) {
            replies.put(index, reply);
        }

        @Override
        public void onFailure(int index, InternVLException failure) {
            failures.put(index, failure);
        }
    }

    @Test
    void whateverASupplierThrowsIsItsRequestsFailure() {
        BatchRequest good = BatchRequest.of(Prompt.of("Hello"), GenerationConfig.greedy(2));
        RuntimeException mistake = new IllegalStateException("a mistake");
        UncheckedIOException unread = new UncheckedIOException(new IOException("disk on fire"));
        List<Supplier<BatchRequest>> requests = new ArrayList<>();
        requests.add(() -> good);
        requests.add(() -> {
            throw unread;
        });
        requests.add(() -> {
            throw mistake;
        });
        requests.add(nothing());
        requests.add(() -> good);
        Kept kept = new Kept();
        try (InternVL model = InternVL.load(ORACLE.directory())) {
            model.batch(requests.iterator(), kept, null);
        }
        assertEquals(Set.of(0, 4), kept.replies.keySet());
        assertEquals(Set.of(1, 2, 3), kept.failures.keySet());
        kept.failures.values().forEach(failure -> assertInstanceOf(PromptException.class, failure));
        assertSame(unread, kept.failures.get(1).getCause());
        assertSame(mistake, kept.failures.get(2).getCause());
        assertTrue(String.valueOf(kept.failures.get(1).getMessage()).contains("request 1"));
        assertTrue(String.valueOf(kept.failures.get(1).getMessage()).contains("disk on fire"));
    }

    @SuppressWarnings("NullAway")
    private static Supplier<BatchRequest> nothing() {
        return () -> null;
    }

    @Test
    void aListenerThatThrowsEndsTheBatchAndTheModelGoesOn() {
        List<Prompt> prompts = List.of(Prompt.of("Hello"), Prompt.of("Hello"));
        GenerationConfig config = GenerationConfig.greedy(2);
        List<Supplier<BatchRequest>> requests = new ArrayList<>();
        prompts.forEach(prompt -> requests.add(() -> BatchRequest.of(prompt, config)));
        requests.add(() -> {
            throw new ImageException("image.png: no such file");
        });
        try (InternVL model = InternVL.load(ORACLE.directory())) {
            Kept failing = new Kept() {
                @Override
                public void onReply(int index, Reply reply) {
                    throw new InternVLException("the disk is full");
                }
            };
            InternVLException full =
                    assertThrows(InternVLException.class, () -> model.batch(requests.iterator(), failing, null));
            assertEquals("the disk is full", full.getMessage());
            Kept refusing = new Kept() {
                @Override
                public void onFailure(int index, InternVLException failure) {
                    throw new IllegalStateException(failure);
                }
            };
            assertThrows(IllegalStateException.class, () -> model.batch(requests.iterator(), refusing, null));
            assertEquals(2, model.batch(prompts, config).size());
        }
    }

    /** A checkpoint in which one token's embedding is no number. */
    private static void spoil(Path folder, int token) throws IOException {
        Path shard = folder.resolve("model-00002-of-00002.safetensors");
        try (RandomAccessFile raw = new RandomAccessFile(shard.toFile(), "rw")) {
            byte[] eight = new byte[8];
            raw.readFully(eight);
            byte[] header = new byte
                    [(int) ByteBuffer.wrap(eight).order(ByteOrder.LITTLE_ENDIAN).getLong()];
            raw.readFully(header);
            JsonNode table = new ObjectMapper().readTree(header).get("language_model.model.embed_tokens.weight");
            int width = table.get("shape").get(1).asInt();
            raw.seek(8 + header.length + table.get("data_offsets").get(0).asLong() + 2L * token * width);
            for (int i = 0; i < width; i++) {
                raw.write(new byte[] {(byte) 0xc0, 0x7f}); // NaN in bf16
            }
        }
    }

    @Test
    void aRequestWhoseLogitsAreNoNumbersFailsAlone(@TempDir Path folder) throws IOException {
        try (Stream<Path> files = Files.list(ORACLE.directory())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        GenerationConfig config = GenerationConfig.greedy(6).topLogprobs(3);
        Prompt good = Prompt.of("Hello");
        Prompt bad = Prompt.of("Hello 7?");
        Reply alone;
        int token;
        try (InternVL model = InternVL.load(ORACLE.directory())) {
            alone = model.generate(good, config);
            List<Integer> used = new ArrayList<>(alone.promptTokens());
            used.addAll(alone.tokens());
            token = model.generate(bad, config).promptTokens().stream()
                    .filter(each -> !used.contains(each))
                    .findFirst()
                    .orElseThrow();
        }
        spoil(folder, token);
        try (InternVL model = InternVL.load(folder)) {
            List<Supplier<BatchRequest>> requests = List.of(
                    () -> BatchRequest.of(good, config),
                    () -> BatchRequest.of(bad, config),
                    () -> BatchRequest.of(good, config));
            Kept kept = new Kept();
            model.batch(requests.iterator(), kept, null);
            assertEquals(Set.of(0, 2), kept.replies.keySet());
            assertEquals(Set.of(1), kept.failures.keySet());
            for (Reply reply : kept.replies.values()) {
                assertEquals(alone.logprobs(), reply.logprobs());
                assertEquals(alone.alternatives(), reply.alternatives());
            }
            assertNoNumbers(kept.failures.get(1));
            assertNoNumbers(assertThrows(InternVLException.class, () -> model.batch(List.of(good, bad, good), config)));
            assertNoNumbers(assertThrows(InternVLException.class, () -> model.generate(bad, config)));
            assertNoNumbers(assertThrows(InternVLException.class, () -> model.activations(bad)));
            try (Chat chat = model.chat()) {
                assertNoNumbers(
                        assertThrows(InternVLException.class, () -> chat.ask(bad, config, ReplyListener.none())));
                assertEquals(List.of(), chat.history());
                assertEquals(
                        alone.logprobs(),
                        chat.ask(good, config, ReplyListener.none()).logprobs());
            }
        }
    }

    private static void assertNoNumbers(@Nullable InternVLException failure) {
        assertTrue(
                failure != null && String.valueOf(failure.getMessage()).contains("not numbers"),
                () -> "got " + failure);
    }
}
