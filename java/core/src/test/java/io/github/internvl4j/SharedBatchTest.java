package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.runtime.SchedulerCounts;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Threads that ask together: each has the answer that it has alone, and what they have in common is computed once. */
class SharedBatchTest {
    private static final Oracle ORACLE = Oracle.load("hermes-d128");
    private static InternVL model;

    @BeforeAll
    static void load() {
        model = InternVL.load(
                ORACLE.directory(), LoadOptions.defaults().threads(2).device(Device.CPU));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Image image(int seed) {
        byte[] rgb = new byte[40 * 30 * 3];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (i * seed);
        }
        return Image.ofRgb(40, 30, rgb);
    }

    private static SchedulerCounts counts() {
        return model.model().counts();
    }

    @Test
    void threadsHaveTheAnswersThatEachHasAlone() throws Exception {
        List<Prompt> prompts = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            String question = "Question " + i % 5 + " of a few words. ".repeat(i % 3 * 20);
            prompts.add(i % 4 == 0 ? Prompt.of(question, image(3 + i % 2)) : Prompt.of(question));
        }
        GenerationConfig config = GenerationConfig.sampling(0.9f, 5)
                .maxNewTokens(12)
                .presencePenalty(0.2f)
                .minP(0.01f);
        List<Reply> alone = prompts.stream()
                .map(prompt -> model.generate(prompt.cacheSalt("alone"), config))
                .toList();
        ExecutorService threads = Executors.newFixedThreadPool(prompts.size());
        List<Future<Reply>> together = prompts.stream()
                .map(prompt -> threads.submit(() -> model.generate(prompt, config)))
                .toList();
        for (int i = 0; i < prompts.size(); i++) {
            assertEquals(
                    alone.get(i).logprobs(),
                    together.get(i).get(60, TimeUnit.SECONDS).logprobs());
        }
        threads.shutdown();
    }

    @Test
    void whatWasComputedServesLaterPromptsOfTheSameSaltOnly() {
        Prompt prompt =
                Prompt.of("Tell me about the house. ".repeat(30), image(7)).cacheSalt("one");
        GenerationConfig config = GenerationConfig.greedy(3);
        SchedulerCounts before = counts();
        Reply first = model.generate(prompt, config);
        Reply second = model.generate(prompt, config);
        Reply other = model.generate(prompt.cacheSalt("two"), config);
        assertEquals(0, first.timings().reusedTokens());
        assertEquals(first.promptTokens().size() - 1, second.timings().reusedTokens());
        assertEquals(0, other.timings().reusedTokens());
        assertEquals(2, counts().images() - before.images(), "once for each salt");
        assertEquals(first.logprobs(), second.logprobs());
        assertEquals(first.logprobs(), other.logprobs());
    }

    @Test
    void aChatHasASaltOfItsOwn() {
        try (Chat chat = model.chat(ChatOptions.defaults().cacheSalt("mine"))) {
            assertThrows(
                    PromptException.class, () -> chat.ask(Prompt.of("Hello").cacheSalt("another")));
            GenerationConfig config = GenerationConfig.greedy(4);
            chat.ask("Hello, what do you see?", config, image(9));
            Reply next = chat.ask("And what else?", config);
            assertTrue(next.timings().reusedTokens() > 30, next.timings()::toString);
        }
    }

    @Test
    void guessesChangeNothing() {
        GenerationConfig config = GenerationConfig.greedy(60).topLogprobs(3);
        Prompt prompt = Prompt.of("one two three four five six seven ".repeat(12));
        Reply with = model.generate(prompt, config);
        Reply without = model.generate(prompt, config.guessing(false));
        assertEquals(without.tokens(), with.tokens());
        assertEquals(without.logprobs(), with.logprobs());
        assertEquals(without.alternatives(), with.alternatives());
    }

    @Test
    void biasesAndTheLeastLengthAreFollowed() {
        GenerationConfig config = GenerationConfig.greedy(5);
        assertEquals(
                List.of(17, 17, 17, 17, 17),
                model.generate(Prompt.of("Hello"), config.logitBias(Map.of(17, 1000f)))
                        .tokens());
        GenerationConfig stopping =
                config.logitBias(Map.of(17, 1000f, 18, 900f)).stopTokens(17);
        assertEquals(List.of(17), model.generate(Prompt.of("Hello"), stopping).tokens());
        assertEquals(
                List.of(18, 18, 17),
                model.generate(Prompt.of("Hello"), stopping.minNewTokens(2)).tokens());
    }

    @Test
    void aSmallCacheStillAnswersEverybody() throws Exception {
        long block =
                256 * InternVL.plan(ORACLE.directory(), LoadOptions.defaults()).kvCachePerToken();
        try (InternVL small = InternVL.load(
                ORACLE.directory(),
                LoadOptions.defaults().threads(2).device(Device.CPU).kvMemory(3 * block))) {
            GenerationConfig config = GenerationConfig.greedy(300);
            ExecutorService threads = Executors.newFixedThreadPool(4);
            List<Future<Reply>> replies = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                Prompt prompt = Prompt.of("Say " + i + " and more. ".repeat(15));
                replies.add(threads.submit(() -> small.generate(prompt, config)));
            }
            for (int i = 0; i < 4; i++) {
                Prompt prompt = Prompt.of("Say " + i + " and more. ".repeat(15));
                assertEquals(
                        model.generate(prompt, config).logprobs(),
                        replies.get(i).get(60, TimeUnit.SECONDS).logprobs());
            }
            threads.shutdown();
            assertThrows(
                    ContextLengthException.class,
                    () -> small.generate(Prompt.of("Hello"), GenerationConfig.greedy(2000)));
        }
    }
}
