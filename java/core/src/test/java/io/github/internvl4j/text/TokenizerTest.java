package io.github.internvl4j.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.InvalidOptionException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class TokenizerTest {
    @Provide
    Arbitrary<String> texts() {
        return TextArbitraries.texts();
    }

    @Provide
    Arbitrary<Tokenizer> tokenizers() {
        return TextArbitraries.tokenizers();
    }

    @Property(tries = 2000)
    void literalTextHasNoMarks(@ForAll("tokenizers") Tokenizer tokenizer, @ForAll("texts") String text) {
        int[] literal = inner(tokenizer, tokenizer.encodeLiteral(text));
        assertFalse(hasMark(tokenizer, literal), () -> Arrays.toString(literal));
        // A checkpoint may give a piece's id to an added token; then text becomes that token without its being typed.
        int[] parsed = inner(tokenizer, tokenizer.encode(text));
        if (tokenizer.findMark(text).isEmpty() && !hasMark(tokenizer, parsed)) {
            assertArrayEquals(parsed, literal);
        }
    }

    /** Without the bos and eos token, where the checkpoint asks for them. */
    private static int[] inner(Tokenizer tokenizer, int[] ids) {
        int around = tokenizer.encode("").length;
        return Arrays.copyOfRange(ids, Math.min(1, around), ids.length - Math.max(0, around - 1));
    }

    private static boolean hasMark(Tokenizer tokenizer, int[] ids) {
        int unknown = tokenizer.tokenId("<unk>").orElse(-1);
        return Arrays.stream(ids)
                .filter(id -> id != unknown)
                .mapToObj(tokenizer::tokenText)
                .anyMatch(
                        token -> tokenizer.findMark(token).filter(token::equals).isPresent());
    }

    @Property(tries = 1000)
    void publishedModelsLoseNothing(@ForAll("texts") String text) {
        Tokenizer tokenizer = TextTestData.hermes();
        Assume.that(tokenizer.findMark(text).isEmpty());
        // Decoding takes a leading space away, and cannot tell a typed U+2581 from a space.
        String full = ":\n" + text;
        String expected = PythonText.replaceLoneSurrogates(full).replace('\u2581', ' ');
        assertEquals(expected, tokenizer.decode(tokenizer.encode(full), true));
        assertEquals(expected, tokenizer.decode(tokenizer.encodeLiteral(full), false));
    }

    @Test
    void theFirstPieceLosesItsSpaceByTheOriginalsRule() {
        Tokenizer tokenizer = TextTestData.hermes();
        assertEquals("def f", tokenizer.decode(tokenizer.encode(" def f"), true));
        assertEquals(
                "\u2581\u2581\u2581def f",
                tokenizer.decode(tokenizer.encode("    def f"), true),
                "four spaces are a piece, three are none: transformers gives this too");
    }

    /** The definition, without queues: find the best pair, join it, again. */
    @Property(tries = 1000)
    void mergesInTheOrderOfScores(@ForAll("texts") String text) {
        Tokenizer tokenizer = TextTestData.hermes();
        Assume.that(tokenizer.findMark(text).isEmpty());
        SentencePieceModel model = TextTestData.model(TextTestData.root().resolve("hermes-d128"));
        List<String> parts = new ArrayList<>();
        PythonText.replaceLoneSurrogates(text)
                .replace(' ', '\u2581')
                .codePoints()
                .forEach(c -> parts.add(Character.toString(c)));
        while (true) {
            int best = -1;
            float score = 0;
            for (int i = 0; i + 1 < parts.size(); i++) {
                int id = model.ordinaryId(parts.get(i) + parts.get(i + 1));
                if (id >= 0 && (best < 0 || model.piece(id).score() > score)) {
                    best = i;
                    score = model.piece(id).score();
                }
            }
            if (best < 0) {
                break;
            }
            parts.set(best, parts.get(best) + parts.remove(best + 1));
        }
        List<Integer> ids = new ArrayList<>();
        for (String part : parts) {
            if (model.ordinaryId(part) >= 0) {
                ids.add(model.ordinaryId(part));
            } else {
                for (byte b : part.getBytes(StandardCharsets.UTF_8)) {
                    ids.add(model.pieceId(SentencePieceModel.bytePiece(b & 0xFF)));
                }
            }
        }
        assertEquals(ids, Arrays.stream(tokenizer.encode(text)).boxed().toList());
    }

    @Test
    void typedMarks() {
        Tokenizer tokenizer = TextTestData.hermes();
        assertEquals("<|im_end|>", tokenizer.findMark("a <|im_end|> <img>").orElseThrow());
        assertEquals("<|im_sep|>", tokenizer.findMark("<|im_sep|>").orElseThrow(), "a user-defined piece of the model");
        assertTrue(tokenizer.findMark("<image> <|im_end| >").isEmpty());
        int[] literal = tokenizer.encodeLiteral("x<|im_end|><img><|im_sep|>");
        assertFalse(Arrays.stream(literal).anyMatch(id -> id == 7 || id == 8 || id >= 1024));
        assertEquals("x<|im_end|><img><|im_sep|>", tokenizer.decode(literal, true));
    }

    @Test
    void loneSurrogatesAreReplacementCharacters() {
        Tokenizer tokenizer = TextTestData.hermes();
        assertArrayEquals(tokenizer.encode("a\uFFFDb\uFFFD"), tokenizer.encode("a\ud83eb\udd8a"));
        assertEquals("\uFFFD", tokenizer.decode(tokenizer.encode("\udd8a"), true));
    }

    @Test
    void idsOutsideTheVocabulary() {
        Tokenizer tokenizer = TextTestData.hermes();
        for (int id : new int[] {-1, 1033, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            InvalidOptionException e =
                    assertThrows(InvalidOptionException.class, () -> tokenizer.decode(new int[] {5, id}, true));
            assertTrue(
                    e.getMessage().contains("token id " + id) && e.getMessage().contains("0 to 1032"), e.getMessage());
            assertThrows(InvalidOptionException.class, () -> tokenizer.decode(new int[] {id}, false));
            assertThrows(InvalidOptionException.class, () -> tokenizer.tokenText(id));
            assertThrows(InvalidOptionException.class, () -> tokenizer.isSpecial(id));
        }
    }

    @Test
    void longTextsTakeNoLongTime() {
        Tokenizer tokenizer = TextTestData.hermes();
        int size = 1 << 20;
        List<String> texts = List.of(
                "a".repeat(size),
                " ".repeat(size),
                "<".repeat(size),
                "ab".repeat(size / 2),
                "<|im_start|>".repeat(size / 12),
                "\0".repeat(size),
                "🦊".repeat(size / 4),
                "return ".repeat(size / 7));
        for (String text : texts) {
            int[] ids = assertTimeoutPreemptively(Duration.ofSeconds(20), () -> tokenizer.encode(text));
            assertTrue(ids.length > 0);
        }
        assertEquals(
                size, tokenizer.decode(tokenizer.encode("a".repeat(size)), true).length());
    }

    @Test
    void manyThreadsShareOne() throws Exception {
        Tokenizer tokenizer = Tokenizer.load(TextTestData.root().resolve("hermes-gqa7"));
        String text = "<|im_start|>user\nWhat is 数字 🦊?  <|im_end|>".repeat(50);
        int[] encoded = TextTestData.tokenizer(TextTestData.root().resolve("hermes-gqa7"))
                .encode(text);
        int[] literal = TextTestData.tokenizer(TextTestData.root().resolve("hermes-gqa7"))
                .encodeLiteral(text);
        ExecutorService pool = Executors.newFixedThreadPool(8);
        try {
            Callable<Boolean> task = () -> Arrays.equals(encoded, tokenizer.encode(text))
                    && Arrays.equals(literal, tokenizer.encodeLiteral(text))
                    && tokenizer.decode(literal, true).equals(text);
            for (Future<Boolean> result : pool.invokeAll(Collections.nCopies(64, task))) {
                assertTrue(result.get());
            }
        } finally {
            pool.shutdownNow();
        }
    }
}
