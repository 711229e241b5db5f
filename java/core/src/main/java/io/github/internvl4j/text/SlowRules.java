package io.github.internvl4j.text;

import java.util.List;

/** What one of transformers' slow tokenizer classes adds to {@code PreTrainedTokenizer}. */
interface SlowRules {
    /** What is put before a text that is not empty. */
    default String prefix() {
        return "";
    }

    /** The token that is dropped where it begins a text and a special token follows; empty if none is. */
    default String loneToken() {
        return "";
    }

    /** What happens to a text before it is cut at its added tokens ({@code prepare_for_tokenization}). */
    default String prepare(String text) {
        return text;
    }

    /**
     * Encodes a stretch without added tokens ({@code _tokenize}).
     *
     * @param literal whether the stretch may become none but ordinary pieces
     */
    void encode(String stretch, boolean literal, IntList out);

    /** Strings that {@link #encode} takes for marks though they are no added tokens. */
    default List<String> marks() {
        return List.of();
    }

    /**
     * Decodes the next run.
     *
     * @param special whether the run may have special tokens in it; without them nothing needs to wait for the end
     */
    RunDecoder newRun(boolean special);

    /** What comes between runs. */
    default String separator() {
        return " ";
    }

    /** Whether decoding takes spaces before punctuation away at the end. */
    boolean cleansUpSpaces();
}
