package io.github.internvl4j.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.error.InvalidOptionException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
        check(
                TextTestData.tokenizer(checkpoint),
                TextTestData.expected(checkpoint).get("tokenizer"));
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
                assertArrayEquals(
                        ids,
                        tokenizer.encode(vector.get("text").textValue()),
                        () -> vector.get("text").toString());
            }
            assertEquals(vector.get("decoded").textValue(), tokenizer.decode(ids, false), () -> Arrays.toString(ids));
            assertEquals(
                    vector.get("decoded_skip_special").textValue(),
                    tokenizer.decode(ids, true),
                    () -> Arrays.toString(ids));
        }
    }

    @ParameterizedTest
    @MethodSource("family")
    void everyDialog(Path checkpoint) {
        Tokenizer tokenizer = TextTestData.tokenizer(checkpoint);
        JsonNode expected = TextTestData.expected(checkpoint);
        ConversationTemplate template = TextTestData.template(checkpoint);
        PromptEncoder encoder = new PromptEncoder(tokenizer, template);
        assertEquals(expected.get("image_context_id").intValue(), encoder.imageContextId());
        assertEquals(expected.get("stop_id").intValue(), encoder.stopId());
        assertTrue(expected.get("dialogs").size() >= 10);
        for (JsonNode dialog : expected.get("dialogs")) {
            String name = dialog.get("name").textValue();
            RenderedPrompt prompt = template.render(
                    dialog.path("system").textValue(),
                    TextTestData.history(dialog.get("history")),
                    dialog.get("question").textValue(),
                    TextTestData.integers(dialog.get("num_patches_list")),
                    expected.get("tokens_per_image").intValue());
            assertEquals(dialog.get("prompt").textValue(), prompt.text(), name);
            assertTrue(prompt.question().endsWith(dialog.get("question").textValue()), name);
            int[] ids = TextTestData.ints(dialog.get("input_ids"));
            assertArrayEquals(ids, tokenizer.encode(dialog.get("prompt").textValue()), name);
            assertArrayEquals(ids, encoder.encode(prompt, SpecialTokens.PARSE), name);
            if (prompt.segments().stream()
                    .noneMatch(
                            s -> !s.template() && tokenizer.findMark(s.text()).isPresent())) {
                assertArrayEquals(ids, encoder.encode(prompt, SpecialTokens.LITERAL), name);
                assertArrayEquals(ids, encoder.encode(prompt, SpecialTokens.REJECT), name);
            }
            assertEquals(
                    dialog.get("response").textValue(),
                    AnswerStream.textOf(
                            tokenizer, TextTestData.ints(dialog.get("greedy_tokens")), List.of(template.stop())));
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

    @ParameterizedTest
    @MethodSource("family")
    void bytesOfTokensAreThoseOfTheText(Path checkpoint) throws IOException {
        Tokenizer tokenizer = TextTestData.tokenizer(checkpoint);
        String text = " Ein Wort, \u00fcber 42 \u732b\ud83e\udd8a";
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int[] ids = tokenizer.encode(text);
        for (int id : ids) {
            if (tokenizer.bosId().orElse(-1) != id) {
                bytes.write(tokenizer.tokenBytes(id));
            }
        }
        assertEquals(text.strip(), bytes.toString(StandardCharsets.UTF_8).strip());
        assertThrows(InvalidOptionException.class, () -> tokenizer.tokenBytes(tokenizer.vocabularySize()));
    }
}
