package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.PromptException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Prompts as tokens, shown and asked. */
class CompleteTest {
    private static final GenerationConfig CONFIG = GenerationConfig.greedy(8);
    private static InternVL model;

    @BeforeAll
    static void load() {
        model = InternVL.load(
                Oracle.load("hermes-d128").directory(), LoadOptions.defaults().precision(Precision.F32));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Reply complete(List<Integer> tokens) {
        return model.complete(tokens, "", CONFIG, ReplyListener.none(), null);
    }

    @Test
    void aPromptsTokensHaveItsAnswer() {
        Prompt prompt = Prompt.of("Hello");
        List<Integer> tokens = model.promptTokens(prompt);
        Counts before = model.counts();
        Reply reply = model.generate(prompt, CONFIG);
        assertEquals(reply.promptTokens(), tokens);
        assertEquals(reply.tokens(), complete(tokens).tokens());
        assertEquals(reply.logprobs(), complete(tokens).logprobs());
        assertEquals(before.promptTokens() + 3L * tokens.size(), model.counts().promptTokens());
        assertEquals(0, model.counts().running());
        int[] whole = model.tokenizer().encode(model.promptText(prompt));
        assertEquals(tokens, java.util.Arrays.stream(whole).boxed().toList());
    }

    /** What streams over a network need, to say until then that a request is refused. */
    @Test
    void thePromptIsToldBeforeTheFirstChunk() {
        List<String> told = new ArrayList<>();
        ReplyListener listener = new ReplyListener() {
            @Override
            public void onPrompt(int tokens) {
                told.add(tokens + " tokens");
            }

            @Override
            public void onChunk(Chunk chunk) {
                told.add("a chunk");
            }
        };
        Prompt prompt = Prompt.of("Hello");
        int length = model.promptTokens(prompt).size();
        for (GenerationConfig config : List.of(CONFIG, CONFIG.beams(2))) {
            told.clear();
            model.generate(prompt, config, listener, null);
            assertEquals(length + " tokens", told.get(0));
            assertEquals("a chunk", told.get(1));
            assertEquals(1, told.stream().filter(it -> it.endsWith("tokens")).count());
        }
        told.clear();
        Prompt endless = Prompt.of("Hello ".repeat(model.info().contextLength()));
        assertThrows(ContextLengthException.class, () -> model.generate(endless, CONFIG, listener, null));
        assertEquals(List.of(), told);
    }

    @Test
    void whatIsNoTextIsRefused() {
        int image = model.tokenizer().tokenId("<IMG_CONTEXT>").orElseThrow();
        assertThrows(PromptException.class, () -> complete(List.of()));
        assertThrows(PromptException.class, () -> complete(List.of(1, image)));
        assertThrows(PromptException.class, () -> complete(List.of(1, -1)));
        assertThrows(
                PromptException.class, () -> complete(List.of(1, model.info().vocabularySize())));
        assertThrows(
                ContextLengthException.class,
                () -> complete(Collections.nCopies(model.info().contextLength(), 5)));
    }
}
