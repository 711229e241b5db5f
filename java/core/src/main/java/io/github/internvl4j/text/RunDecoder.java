package io.github.internvl4j.text;

/**
 * Turns one run of tokens into text: the {@code convert_tokens_to_string} of a slow tokenizer class, one token at a
 * time. The text of all {@link #accept} calls and of {@link #finish}, put together, is that of the run.
 */
interface RunDecoder {
    /** Takes a token and appends what has become certain. */
    void accept(String token, StringBuilder out);

    /** Ends the run and appends what was waiting. */
    void finish(StringBuilder out);
}
