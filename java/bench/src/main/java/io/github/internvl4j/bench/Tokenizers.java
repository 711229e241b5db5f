package io.github.internvl4j.bench;

import io.github.internvl4j.text.Tokenizer;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Milliseconds for a megabyte of text, each of the kinds of tokenizers; for a published vocabulary give its folder:
 * {@code -p directory=build/published-tokenizer}.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class Tokenizers {
    private static final int SIZE = 1_000_000;

    /** A tokenizer and its texts; the working directory is the repository's root. */
    @State(Scope.Benchmark)
    public static class Megabyte {
        @Param({"test-data/hermes-d128", "test-data/internlm2-tiles", "test-data/qwen2-tied", "test-data/qwen2-hf"})
        public String directory;

        private Tokenizer tokenizer;
        private String english;
        private String oneWord;
        private int[] ids;

        @Setup
        public void load() {
            tokenizer = Tokenizer.load(Path.of(directory));
            english = english(new Random(1));
            oneWord = english.replaceAll("[^a-z]", "").repeat(2).substring(0, SIZE);
            ids = tokenizer.encode(english);
        }

        /** Sentences of 20,000 words that differ in frequency as those of English do (Zipf's law). */
        private static String english(Random random) {
            String[] syllables = ("the an ing er on at or is al de ti ra to be st co re wi ta pre tion ment com ver pro"
                            + " ly per con un dis men sa mi no")
                    .split(" ");
            String[] words = new String[20_000];
            for (int i = 0; i < words.length; i++) {
                StringBuilder word = new StringBuilder();
                for (int k = 0; k <= Math.min(3, i / 30 + random.nextInt(2)); k++) {
                    word.append(syllables[random.nextInt(syllables.length)]);
                }
                words[i] = word.toString();
            }
            StringBuilder text = new StringBuilder();
            while (text.length() < SIZE) {
                int length = 5 + random.nextInt(15);
                for (int i = 0; i < length; i++) {
                    String word = words[(int) Math.pow(words.length, random.nextDouble()) - 1];
                    text.append(
                            i == 0 ? word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1) : " " + word);
                }
                text.append(random.nextInt(5) == 0 ? ".\n\n" : ". ");
            }
            return text.substring(0, SIZE);
        }
    }

    @Benchmark
    public int[] encodeEnglish(Megabyte megabyte) {
        return megabyte.tokenizer.encode(megabyte.english);
    }

    /** No space in a megabyte: nothing may take the square of its length. */
    @Benchmark
    public int[] encodeOneWord(Megabyte megabyte) {
        return megabyte.tokenizer.encode(megabyte.oneWord);
    }

    @Benchmark
    public String decodeEnglish(Megabyte megabyte) {
        return megabyte.tokenizer.decode(megabyte.ids, true);
    }
}
