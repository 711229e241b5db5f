package io.github.internvl4j.text;

import io.github.internvl4j.error.InvalidOptionException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Tuple;

/** Texts that tokenizers stumble over. */
final class TextArbitraries {
    private static final List<String> PARTS = List.of(
            " ",
            "  ",
            "   ",
            "\n",
            "\t",
            "\r\n",
            "\u00a0",
            "\u3000",
            "\0",
            "▁",
            "▁▁",
            "<|im_start|>",
            "<|im_end|>",
            "<|im_sep|>",
            "<|endoftext|>",
            "<|startoftext|>",
            "<unk>",
            "<img>",
            "</img>",
            "<box>",
            "<|im_",
            "|>",
            "<",
            "<image>",
            "<0x41>",
            "user\n",
            "hello",
            " world",
            "é",
            "e\u0301",
            "数字",
            "🦊",
            "👨‍👩‍👧",
            "ﬀ",
            "\u200b",
            "\ud83e",
            "\udd8a",
            "return",
            "    def f(self):",
            "12345",
            ".",
            " .",
            " n't",
            "<W>",
            "<L>",
            "and",
            "xyz",
            "foobar");

    private TextArbitraries() {}

    /** Parts of interest, runs of one character, and strings of any UTF-16, lone surrogates too. */
    static Arbitrary<String> texts() {
        Arbitrary<String> part = Arbitraries.frequencyOf(
                Tuple.of(6, Arbitraries.of(PARTS)),
                Tuple.of(2, Arbitraries.strings().ofMaxLength(8)),
                Tuple.of(1, Arbitraries.strings().withCharRange(' ', '~').ofMaxLength(12)),
                Tuple.of(1, Arbitraries.strings().withChars('a', 'b', ' ').ofMaxLength(20)));
        return part.list().ofMaxSize(8).map(parts -> String.join("", parts));
    }

    static Arbitrary<Tokenizer> tokenizers() {
        return Arbitraries.of(TextTestData.all()).map(TextTestData::tokenizer);
    }

    /** Token ids of a tokenizer; bytes and added tokens more often than their share. */
    static Arbitrary<int[]> ids(Tokenizer tokenizer) {
        List<Integer> known = IntStream.range(0, tokenizer.vocabularySize())
                .filter(id -> {
                    try {
                        return !tokenizer.tokenText(id).isEmpty();
                    } catch (InvalidOptionException e) {
                        return false; // a hole between the model's pieces and the added tokens
                    }
                })
                .boxed()
                .toList();
        List<Integer> bytes = known.stream()
                .filter(id -> SentencePieceModel.byteOf(tokenizer.tokenText(id)) >= 0)
                .toList();
        List<Integer> marks = known.stream()
                .filter(id -> tokenizer.findMark(tokenizer.tokenText(id)).isPresent())
                .toList();
        Arbitrary<Integer> id = Arbitraries.frequencyOf(
                Tuple.of(4, Arbitraries.of(known)),
                Tuple.of(3, Arbitraries.of(bytes.isEmpty() ? known : bytes)),
                Tuple.of(1, Arbitraries.of(marks.isEmpty() ? known : marks)));
        Arbitrary<List<Integer>> texts = texts().map(
                        text -> Arrays.stream(tokenizer.encode(text)).boxed().toList());
        return Arbitraries.oneOf(id.list().ofMaxSize(24), texts)
                .map(list -> list.stream().mapToInt(Integer::intValue).toArray());
    }
}
