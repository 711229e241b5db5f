package io.github.internvl4j.text;

/**
 * What becomes of special tokens, such as {@code <|im_end|>}, that stand in the text of a user. Every turn of a
 * conversation has a mode of its own, for its question and its answer; what was asked before is never read anew in the mode of
 * what is asked now.
 *
 * <p>Only what users wrote is ever refused. In the system message, which the developer wrote, and in the model's answers
 * special tokens become themselves in {@link #PARSE} and are text in the other modes; {@code <IMG_CONTEXT>} is text there in
 * every mode, since it would be taken for a row of an image.
 */
public enum SpecialTokens {
    /**
     * They become special tokens, as in the original code. Only {@code <IMG_CONTEXT>} is refused, for it would be taken
     * for a row of an image.
     */
    PARSE,
    /**
     * They are text like any other: the model reads their characters. For text from people one does not know. This is so for
     * {@code <image>}, too: images come in lines before the question, unless {@link Turn#placeholders} are told.
     */
    LITERAL,
    /** They are refused; {@code <image>} is none of them and marks an image's placeholder. */
    REJECT
}
