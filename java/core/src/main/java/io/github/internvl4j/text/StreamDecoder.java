package io.github.internvl4j.text;

/**
 * Decodes an answer while it comes. Special tokens are left out, and the chunks put together are exactly
 * {@link Tokenizer#decode decode(all, true)}. A chunk never ends inside a character: bytes wait until they are one, or
 * until it is certain that they are none, when U+FFFD stands for them. No chunk is ever taken back. For one answer and
 * one thread; {@link Tokenizer#newDecoder()} makes it.
 */
public interface StreamDecoder {
    /**
     * Takes the next token.
     *
     * @param tokenId its id
     * @return the text that has become certain; possibly empty
     * @throws io.github.internvl4j.error.InvalidOptionException if the id is not in the vocabulary
     * @throws IllegalStateException after {@link #finish()}
     */
    String accept(int tokenId);

    /**
     * Ends the answer.
     *
     * @return the text that was waiting: U+FFFD for an unfinished character, or nothing
     */
    String finish();
}
