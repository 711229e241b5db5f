package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.InternVLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchTest {
    private static final Oracle ORACLE = Oracle.load("hermes-d128");

    /** Log-probabilities are floats that depend on every bit of the logits: equal ones mean equal logits. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void aBatchGivesTheSameBitsAsEachPromptAlone(int together) {
        GenerationConfig config = GenerationConfig.greedy(12).topLogprobs(5);
        List<Prompt> prompts =
                ORACLE.dialogs().stream().map(ORACLE::prompt).toList();
        for (int threads : new int[] {1, 2}) {
            LoadOptions options = LoadOptions.defaults().threads(threads).maxBatch(together);
            try (InternVL model = InternVL.load(ORACLE.directory(), options);
                    InternVL alone = InternVL.load(ORACLE.directory(), LoadOptions.defaults().threads(1))) {
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
            assertFalse(alone.tokens().equals(model.generate(prompt, config.seed(8)).tokens()));
        }
    }

    @Test
    void oneBadRequestFailsAlone() {
        GenerationConfig config = GenerationConfig.greedy(4);
        Prompt good = Prompt.of("Hello");
        List<Supplier<BatchRequest>> requests = List.of(
                () -> new BatchRequest(good, config),
                () -> {
                    throw new ImageException("picture.png: no such file");
                },
                () -> new BatchRequest(Prompt.of("x".repeat(20_000)), config),
                () -> new BatchRequest(good, config));
        Map<Integer, Reply> replies = new HashMap<>();
        Map<Integer, InternVLException> failures = new HashMap<>();
        try (InternVL model = InternVL.load(ORACLE.directory())) {
            model.batch(
                    new ArrayList<>(requests).iterator(),
                    new BatchListener() {
                        @Override
                        public void onReply(int index, Reply reply) {
                            replies.put(index, reply);
                        }

                        @Override
                        public void onFailure(int index, InternVLException failure) {
                            failures.put(index, failure);
                        }
                    },
                    null);
            assertThrows(
                    ContextLengthException.class,
                    () -> model.batch(List.of(good, Prompt.of("x".repeat(20_000))), config));
        }
        assertEquals(Set.of(0, 3), replies.keySet());
        assertEquals(Set.of(1, 2), failures.keySet());
        assertInstanceOf(ImageException.class, failures.get(1));
        assertInstanceOf(ContextLengthException.class, failures.get(2));
        assertTrue(String.valueOf(failures.get(2).getMessage()).contains("4096"));
    }
}
