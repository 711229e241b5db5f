package io.github.internvl4j.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Qwen3's vocabulary with 100,000 texts, half of their parts real and half random: ids and what they decode to, against
 * hashes of what transformers made of them (published/make.py, which has the same generator). {@code
 * scripts/published-tokenizer} fetches the vocabulary; without it this is skipped.
 */
class PublishedVocabularyTest {
    private static final int BLOCK = 1000;
    private static final List<String> ODD = List.of(
            " ", "  ", "   ", "\n", "\r\n", "\t", "\u00a0", "\u2581", "\0", " .", " n't", "'s", "'\u017f", "\u0085",
            "\u001c", "\u200b", "\u3000", " \n ", "e\u0301", "\u212a");
    private static final int[][] RANGES = {
        {0x20, 0x7f},
        {0xa0, 0x250},
        {0x300, 0x370},
        {0x370, 0x3000},
        {0x3000, 0xd800},
        {0xe000, 0x10000},
        {0x10000, 0x20000},
        {0x20000, 0x32000},
        {0, 0xd800}
    };
    /** Marks whose combining depends on the version of Unicode. */
    private static final int[] LATER = UnicodeLetters.ranges("897-89f 8ca-8d2 c3c 1715 1ac1-1aff 1dfa 105c0-105ff "
            + "10d60-10d6f 10ef0-10eff 10f82-10f85 11070 11380-113ff 11f41-11f42 16100-1613f 16d40-16d7f 1e2ae "
            + "1e4ec-1e4ef 1e5ee-1e5ef");

    @TempDir
    static Path slow;

    @TempDir
    static Path fast;

    private static List<int[]> lines = List.of();

    /** The package holds the files of the fast tokenizer; those of the slow one say the same. */
    @BeforeAll
    static void layOut() throws IOException {
        Path published = TextTestData.root().resolveSibling("build").resolve("published-tokenizer");
        assumeTrue(
                Files.exists(published.resolve("tokenizer.json")),
                () -> "no " + published + "/tokenizer.json; scripts/published-tokenizer fetches it");
        for (Path folder : List.of(slow, fast)) {
            Files.copy(published.resolve("tokenizer_config.json"), folder.resolve("tokenizer_config.json"));
        }
        Files.copy(published.resolve("tokenizer.json"), fast.resolve("tokenizer.json"));
        Files.writeString(fast.resolve("config.json"), "{\"model_type\": \"internvl\"}");
        JsonNode model = TextTestData.json(published.resolve("tokenizer.json")).get("model");
        TextTestData.JSON.writeValue(slow.resolve("vocab.json").toFile(), model.get("vocab"));
        List<String> merges = new ArrayList<>(List.of("#version: 0.2"));
        model.get("merges")
                .forEach(merge ->
                        merges.add(merge.get(0).textValue() + " " + merge.get(1).textValue()));
        Files.write(slow.resolve("merges.txt"), merges);
        JsonNode texts = TextTestData.JSON.readTree(resource("lines.json"));
        lines = IntStream.range(0, texts.size())
                .mapToObj(i -> texts.get(i).textValue())
                .map(text -> text.codePoints().toArray())
                .toList();
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = PublishedVocabularyTest.class.getResourceAsStream("published/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void slowTokenizer() throws Exception {
        compare(Tokenizer.load(slow), 0);
    }

    @Test
    void fastTokenizer() throws Exception {
        compare(Tokenizer.load(fast), 1);
    }

    private static void compare(Tokenizer tokenizer, int column) throws Exception {
        List<String> marks = IntStream.range(151_643, tokenizer.vocabularySize())
                .mapToObj(tokenizer::tokenText)
                .toList();
        assertEquals(26, marks.size());
        List<String> expected = resource("hashes.txt")
                .lines()
                .map(line -> line.split(" ", -1)[column])
                .toList();
        assertEquals(100, expected.size());
        for (int block = 0; block < expected.size(); block++) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (int i = block * BLOCK; i < (block + 1) * BLOCK; i++) {
                int[] ids = tokenizer.encode(text(i, marks));
                update(digest, Arrays.stream(ids).mapToObj(String::valueOf).collect(Collectors.joining(",")));
                for (int[] some : List.of(ids, chosen(i, tokenizer.vocabularySize(), marks.size()))) {
                    update(digest, tokenizer.decode(some, false));
                    String shown = tokenizer.decode(some, true);
                    update(digest, shown);
                    assertEquals(shown, streamed(tokenizer, some));
                }
            }
            assertEquals(
                    expected.get(block),
                    HexFormat.of().formatHex(digest.digest(), 0, 8),
                    "texts " + block * BLOCK + " and following");
        }
    }

    private static void update(MessageDigest digest, String line) {
        digest.update((line + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private static String streamed(Tokenizer tokenizer, int[] ids) {
        StreamDecoder decoder = tokenizer.newDecoder();
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.accept(id));
        }
        return text.append(decoder.finish()).toString();
    }

    /** splitmix64. */
    private static final class Numbers {
        private long state;

        Numbers(long seed) {
            state = seed;
        }

        int below(int bound) {
            state += 0x9E3779B97F4A7C15L;
            long z = state;
            z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
            z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
            return (int) (((z ^ z >>> 31) >>> 33) % bound);
        }
    }

    private static String text(int seed, List<String> marks) {
        Numbers numbers = new Numbers(seed);
        StringBuilder text = new StringBuilder();
        for (int parts = 1 + numbers.below(7); parts > 0; parts--) {
            part(numbers, marks, text);
        }
        return text.toString();
    }

    private static void part(Numbers numbers, List<String> marks, StringBuilder out) {
        int kind = numbers.below(10);
        if (kind < 6) {
            int[] line = lines.get(numbers.below(lines.size()));
            int start = kind < 4 ? 0 : numbers.below(line.length);
            int end = kind < 4 ? line.length : Math.min(line.length, start + 1 + numbers.below(12));
            out.append(new String(line, start, end - start));
        } else if (kind == 6) {
            for (int count = 1 + numbers.below(6); count > 0; count--) {
                int[] range = RANGES[numbers.below(RANGES.length)];
                int c = range[0] + numbers.below(range[1] - range[0]);
                out.appendCodePoint(UnicodeLetters.within(LATER, c) ? '?' : c);
            }
        } else if (kind == 7) {
            out.append(marks.get(numbers.below(marks.size())));
        } else if (kind == 8) {
            out.append(ODD.get(numbers.below(ODD.size())));
        } else {
            for (int count = 1 + numbers.below(10); count > 0; count--) {
                out.append("abcxyzAB<>|_'.,019 \n".charAt(numbers.below(20)));
            }
        }
    }

    private static int[] chosen(int seed, int size, int marks) {
        Numbers numbers = new Numbers(seed + (1L << 40));
        int[] ids = new int[1 + numbers.below(12)];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = numbers.below(4) == 0
                    ? size - 1 - numbers.below(marks)
                    : numbers.below(3) == 0 ? numbers.below(256) : numbers.below(size);
        }
        return ids;
    }

    /** The first two stand in the documentation of transformers. */
    @Test
    void knownIds() {
        Tokenizer tokenizer = Tokenizer.load(slow);
        assertArrayEquals(new int[] {9707, 1879}, tokenizer.encode("Hello world"));
        assertArrayEquals(new int[] {21927, 1879}, tokenizer.encode(" Hello world"));
        assertArrayEquals(new int[] {151644, 872, 198}, tokenizer.encode("<|im_start|>user\n"));
    }
}
