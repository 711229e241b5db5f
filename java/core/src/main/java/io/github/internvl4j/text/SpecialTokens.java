package io.github.internvl4j.text;

/**
 * What becomes of special tokens, such as {@code <|im_end|>}, that stand in the text of a user: in the system message,
 * the questions and answers of the history, or the question. {@code <image>} is none; it marks a picture's place in all
 * modes.
 */
public enum SpecialTokens {
    /**
     * They become special tokens, as in the original code. Only {@code <IMG_CONTEXT>} is refused, for it would be taken
     * for a row of a picture.
     */
    PARSE,
    /** They are text like any other: the model reads their characters. For text from people one does not know. */
    LITERAL,
    /** They are refused. */
    REJECT
}
