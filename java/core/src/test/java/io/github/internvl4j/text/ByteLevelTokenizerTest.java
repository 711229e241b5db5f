package io.github.internvl4j.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.text.Normalizer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/** Byte-level BPE, slow and fast: words, merges, bytes. */
class ByteLevelTokenizerTest {
    private static final Tokenizer SLOW =
            TextTestData.tokenizer(TextTestData.root().resolve("qwen2-tied"));
    private static final Tokenizer FAST =
            TextTestData.tokenizer(TextTestData.root().resolve("qwen2-hf"));
    /** The pattern of tokenizer.json, with what Java spells differently. */
    private static final Pattern WORDS = Pattern.compile("(?iu:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
            + "|\\p{N}{1,3}| ?[^\\p{IsWhite_Space}\\p{L}\\p{N}]+[\\r\\n]*|\\p{IsWhite_Space}*[\\r\\n]+"
            + "|\\p{IsWhite_Space}+(?!\\P{IsWhite_Space})|\\p{IsWhite_Space}+");

    @Provide
    Arbitrary<String> texts() {
        return TextArbitraries.texts().map(PythonText::replaceLoneSurrogates);
    }

    @Property(tries = 3000)
    void textComesBackInNfc(@ForAll("texts") String text) {
        String nfc = Normalizer.normalize(text, Normalizer.Form.NFC);
        assertEquals(nfc, SLOW.decode(SLOW.encode(text), false));
        assertEquals(nfc, SLOW.decode(SLOW.encodeLiteral(text), true));
        assertEquals(FastNormalizer.nfc(text), FAST.decode(FAST.encodeLiteral(text), true));
    }

    @Property(tries = 3000)
    void wordsAreThoseOfThePattern(@ForAll("texts") String text) {
        // What Java does not know as a letter yet is another question.
        String known = text.codePoints()
                .filter(Character::isDefined)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        WordSplitter splitter = new WordSplitter(3, UnicodeLetters.UNICODE_18);
        Matcher words = WORDS.matcher(known);
        for (int from = 0; from < known.length(); from = words.end()) {
            assertTrue(words.find(from));
            assertEquals(from, words.start());
            assertEquals(words.group(), known.substring(from, splitter.end(known, from)));
        }
    }

    @Provide
    Arbitrary<List<Integer>> bytes() {
        Arbitrary<Integer> any = Arbitraries.integers().between(0, 255);
        return Arbitraries.oneOf(any, Arbitraries.of(0xE4, 0xBD, 0xA0, 0xF0, 0x9F, 0xED, 0xC2, 0xF4, 0x90, 0x80))
                .list()
                .ofMaxSize(12);
    }

    /** A character that begins and does not go on is one U+FFFD, whatever number of bytes it has. */
    @Property(tries = 3000)
    void brokenCharacters(@ForAll("bytes") List<Integer> values) {
        Utf8Decoder decoder = new Utf8Decoder();
        StringBuilder text = new StringBuilder();
        byte[] bytes = new byte[values.size()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = values.get(i).byteValue();
            decoder.accept(values.get(i), text);
            String now = text.toString();
            assertEquals(now, PythonText.replaceLoneSurrogates(now), "a character was split");
        }
        decoder.finish(text);
        String java = new String(bytes, StandardCharsets.UTF_8); // counts the U+FFFD of surrogates otherwise
        assertEquals(java.replaceAll("\uFFFD+", "\uFFFD"), text.toString().replaceAll("\uFFFD+", "\uFFFD"));
    }

    @Test
    void brokenCharactersAsPythonHasThem() {
        assertEquals("\uFFFD\uFFFD\uFFFD", decoded(0xED, 0xA0, 0x80));
        assertEquals("\uFFFD", decoded(0xF0, 0x9F, 0x98));
        assertEquals("\uFFFDA", decoded(0xE4, 0xBD, 'A'));
        assertEquals("\uFFFD\uFFFD\uFFFD\uFFFD", decoded(0xF4, 0x90, 0x80, 0x80));
        assertEquals("\uFFFD\uFFFD", decoded(0xC0, 0x80));
    }

    private static String decoded(int... bytes) {
        Utf8Decoder decoder = new Utf8Decoder();
        StringBuilder text = new StringBuilder();
        Arrays.stream(bytes).forEach(value -> decoder.accept(value, text));
        decoder.finish(text);
        return text.toString();
    }

    /** The definition, without queues: join the neighbours of the lowest rank, again and again. */
    @Property(tries = 500)
    void mergesInTheOrderOfTheirLines(@ForAll("texts") String text) throws Exception {
        List<String> merges = Files.readAllLines(TextTestData.root().resolve("qwen2-tied/merges.txt"));
        String nfc = Normalizer.normalize(text, Normalizer.Form.NFC);
        WordSplitter splitter = new WordSplitter(1, UnicodeLetters.UNICODE_18);
        List<Integer> expected = new ArrayList<>();
        for (int from = 0; from < nfc.length(); ) {
            int end = splitter.end(nfc, from);
            List<String> parts = new ArrayList<>();
            String word = ByteAlphabet.write(nfc.substring(from, end).getBytes(StandardCharsets.UTF_8));
            word.chars().forEach(c -> parts.add(String.valueOf((char) c)));
            join(parts, merges);
            parts.forEach(part -> expected.add(SLOW.tokenId(part).orElseThrow()));
            from = end;
        }
        assertEquals(expected, Arrays.stream(SLOW.encodeLiteral(text)).boxed().toList());
    }

    private static void join(List<String> parts, List<String> merges) {
        while (true) {
            int best = -1;
            int rank = Integer.MAX_VALUE;
            for (int i = 0; i + 1 < parts.size(); i++) {
                int found = merges.indexOf(parts.get(i) + " " + parts.get(i + 1));
                if (found >= 0 && found < rank) {
                    best = i;
                    rank = found;
                }
            }
            if (best < 0) {
                return;
            }
            parts.set(best, parts.get(best) + parts.remove(best + 1));
        }
    }

    /** The square of a megabyte would take hours; the limit is for that, not for a busy machine. */
    @Test
    void nothingTakesTheSquareOfALongText() {
        int size = 1 << 20;
        for (Tokenizer tokenizer : List.of(SLOW, FAST)) {
            for (String text : List.of(
                    "a".repeat(size),
                    " ".repeat(size),
                    "\n".repeat(size),
                    "ab".repeat(size / 2),
                    "9".repeat(size),
                    "!".repeat(size),
                    "🦊".repeat(size / 4),
                    "<|im_start|>".repeat(size / 12),
                    " x".repeat(size / 2),
                    "\u0301".repeat(size),
                    "word ".repeat(size / 5))) {
                int[] ids = assertTimeoutPreemptively(Duration.ofMinutes(5), () -> tokenizer.encode(text));
                assertEquals(
                        Normalizer.normalize(text, Normalizer.Form.NFC).length(),
                        tokenizer.decode(ids, false).length());
            }
        }
    }

    /** Slow: the whole text is in NFC before tokens are looked for. Fast: what lies between them. */
    @Test
    void aMarkBehindAToken() {
        int start = SLOW.tokenId("<|im_start|>").orElseThrow();
        String text = "<|im_start|>\u0338"; // with > it composes to U+226F
        assertFalse(Arrays.stream(SLOW.encode(text)).anyMatch(id -> id == start), "as the original");
        assertEquals(start, FAST.encode(text)[0]);
        int[] segments = SLOW.encode(List.of(new Stretch("<|im_start|>", false), new Stretch("\u0338", true)));
        assertEquals(start, segments[0], "a user's text does not break the template's tokens");
    }

    @Test
    void idsBeyondTheTokenizerAreNoTextOfAnAnswer() {
        int beyond = SLOW.vocabularySize() + 5;
        assertFalse(SLOW.contains(beyond));
        int[] ids = SLOW.encode("Hello");
        int[] answer = Arrays.copyOf(ids, ids.length + 1);
        answer[ids.length] = beyond;
        assertEquals("Hello", AnswerStream.textOf(SLOW, answer, List.of()));
        AnswerStream stream = new AnswerStream(SLOW, List.of());
        StringBuilder text = new StringBuilder();
        Arrays.stream(answer).forEach(id -> text.append(stream.accept(id)));
        assertEquals("Hello", text + stream.finish());
    }

    @Test
    void whatSkippingSkips() {
        String answer = "<ref>a</ref><box>[[1]]</box><|im_end|><tool_call>";
        assertEquals("<ref>a</ref><box>[[1]]</box><tool_call>", SLOW.decode(SLOW.encode(answer), true));
        assertEquals("a[[1]]<tool_call>", FAST.decode(FAST.encode(answer), true));
        assertArrayEquals(SLOW.encode(answer), FAST.encode(answer));
    }
}
