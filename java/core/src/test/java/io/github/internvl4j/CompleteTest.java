package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.PromptException;
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
