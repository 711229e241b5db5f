package io.github.internvl4j.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The tokenizer, the template and the answer's text against what the original code gave for the oracle checkpoints. */
class TokenizerOracleTest {
    static Stream<Path> checkpoints() {
        return TextTestData.checkpoints().stream();
    }

    static Stream<Path> family() {
        return TextTestData.family().stream();
    }

    static Stream<Path> smallTokenizers() {
        return TextTestData.smallTokenizers().stream();
    }

    @ParameterizedTest
    @MethodSource("family")
    void everyVector(Path checkpoint) {
        check(TextTestData.tokenizer(checkpoint), TextTestData.expected(checkpoint).get("tokenizer"));
    }

    @ParameterizedTest
    @MethodSource("smallTokenizers")
    void modelsWithOtherFlags(Path folder) {
        check(TextTestData.tokenizer(folder), TextTestData.json(folder.resolve("vectors.json")));
    }

    private static void check(Tokenizer tokenizer, JsonNode vectors) {
        assertFalse(vectors.isEmpty());
        for (JsonNode vector : vectors) {
            int[] ids = TextTestData.ints(vector.get("ids"));
            if (vector.has("text")) {
                assertArrayEquals(ids, tokenizer.encode(vector.get("text").textValue()),
                        () -> vector.get("text").toString());
            }
            assertEquals(vector.get("decoded").textValue(), tokenizer.decode(ids, false), () -> Arrays.toString(ids));
            assertEquals(vector.get("decoded_skip_special").textValue(), tokenizer.decode(ids, true),
                    () -> Arrays.toString(ids));
        }
    }

    @ParameterizedTest
    @MethodSource("checkpoints")
    void everyDialog(Path checkpoint) {
        Tokenizer tokenizer = TextTestData.tokenizer(checkpoint);
        JsonNode expected = TextTestData.expected(checkpoint);
        ConversationTemplate template = ConversationTemplate.forName("Hermes-2");
        PromptEncoder encoder = new PromptEncoder(tokenizer, template);
        assertEquals(expected.get("image_context_id").intValue(), encoder.imageContextId());
        assertEquals(expected.get("stop_id").intValue(), encoder.stopId());
        assertEquals(10, expected.get("dialogs").size());
        for (JsonNode dialog : expected.get("dialogs")) {
            String name = dialog.get("name").textValue();
            String question = dialog.get("question").textValue();
            RenderedPrompt prompt = template.render(template.defaultSystemMessage(),
                    TextTestData.history(dialog.get("history")), question,
                    TextTestData.integers(dialog.get("num_patches_list")), expected.get("tokens_per_image").intValue());
            assertEquals(dialog.get("prompt").textValue(), prompt.text(), name);
            assertEquals(question, prompt.question(), name);
            int[] ids = TextTestData.ints(dialog.get("input_ids"));
            assertArrayEquals(ids, tokenizer.encode(dialog.get("prompt").textValue()), name);
            for (SpecialTokens mode : SpecialTokens.values()) {
                assertArrayEquals(ids, encoder.encode(prompt, mode), () -> name + " " + mode);
            }
            assertEquals(dialog.get("response").textValue(),
                    AnswerStream.textOf(tokenizer, TextTestData.ints(dialog.get("greedy_tokens")),
                            List.of(template.stop())));
        }
    }

    @ParameterizedTest
    @MethodSource("family")
    void everyPromptAndAnswer(Path checkpoint) {
        Tokenizer tokenizer = TextTestData.tokenizer(checkpoint);
        JsonNode expected = TextTestData.expected(checkpoint);
        String stop = tokenizer.tokenText(expected.get("stop_id").intValue());
        assertEquals("<IMG_CONTEXT>", tokenizer.tokenText(expected.get("image_context_id").intValue()));
        for (JsonNode dialog : expected.get("dialogs")) {
            String name = dialog.get("name").textValue();
            assertArrayEquals(TextTestData.ints(dialog.get("input_ids")),
                    tokenizer.encode(dialog.get("prompt").textValue()), name);
            assertEquals(dialog.get("response").textValue(), AnswerStream.textOf(tokenizer,
                    TextTestData.ints(dialog.get("greedy_tokens")), List.of(stop)), name);
        }
    }

    @ParameterizedTest
    @MethodSource("checkpoints")
    void ids(Path checkpoint) {
        Tokenizer tokenizer = TextTestData.tokenizer(checkpoint);
        int pieces = TextTestData.model(checkpoint).size();
        assertEquals(pieces + 9, tokenizer.vocabularySize());
        assertEquals(7, tokenizer.tokenId("<|im_end|>").orElseThrow());
        assertEquals(7, tokenizer.eosId().orElseThrow());
        assertEquals(1, tokenizer.bosId().orElseThrow());
        assertEquals(pieces, tokenizer.tokenId("<img>").orElseThrow());
        assertEquals("</box>", tokenizer.tokenText(pieces + 8));
        assertTrue(tokenizer.tokenId("no such token").isEmpty());
        assertTrue(tokenizer.isSpecial(7));
        assertFalse(tokenizer.isSpecial(6));
        assertFalse(tokenizer.isSpecial(2), "<|endoftext|> is flagged special, but no special token is named so");
    }
}
