package io.github.internvl4j.text;

/**
 * Decodes an answer while it comes. Special tokens are left out, and the pieces put together are exactly
 * {@link Tokenizer#decode decode(all, true)}. A piece never ends inside a character: bytes wait until they are one, or
 * until it is certain that they are none, when each becomes U+FFFD. For one answer and one thread.
 */
public final class StreamDecoder {
    private final Tokenizer tokenizer;
    private final SpaceCleanUp cleanUp = new SpaceCleanUp();

    /** Decodes the tokens since the last separate one; a new one for every run, as spaces at its start may go. */
    private PieceDecoder run;
    private boolean runHasTokens;
    private boolean runHasText;
    /** Whether something stands before the current run, so that a space comes between. */
    private boolean partBefore;
    private boolean finished;

    /** @param tokenizer the tokenizer of the model that answers */
    public StreamDecoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        this.run = new PieceDecoder(tokenizer.model());
    }

    /**
     * Takes the next token.
     *
     * @param tokenId its id
     * @return the text that has become certain; possibly empty
     * @throws io.github.internvl4j.error.InvalidOptionException if the id is not in the vocabulary
     */
    public String accept(int tokenId) {
        if (finished) {
            throw new IllegalStateException("the answer was finished; a StreamDecoder decodes one answer");
        }
        if (tokenizer.isSpecial(tokenId)) {
            return "";
        }
        String token = tokenizer.tokenText(tokenId);
        StringBuilder out = new StringBuilder();
        if (tokenizer.isSeparate(token)) {
            endRun(out);
            if (partBefore) {
                out.append(' ');
            }
            out.append(token);
            partBefore = true;
        } else {
            String piece = runHasTokens ? token : tokenizer.withoutLeadingSpace(token);
            runHasTokens = true;
            StringBuilder text = new StringBuilder();
            run.accept(piece, text);
            appendRunText(text, out);
        }
        return cleaned(out, false);
    }

    /**
     * Ends the answer.
     *
     * @return the text that was waiting: U+FFFD for each byte of an unfinished character, or nothing
     */
    public String finish() {
        if (finished) {
            return "";
        }
        finished = true;
        StringBuilder out = new StringBuilder();
        boolean open = runHasTokens;
        StringBuilder text = new StringBuilder();
        run.finish(text);
        appendRunText(text, out);
        if (open && !runHasText && partBefore) {
            out.append(' '); // the last part counts even if it is empty
        }
        return cleaned(out, true);
    }

    private void endRun(StringBuilder out) {
        StringBuilder text = new StringBuilder();
        run.finish(text);
        appendRunText(text, out);
        partBefore |= runHasText;
        run = new PieceDecoder(tokenizer.model());
        runHasTokens = false;
        runHasText = false;
    }

    private void appendRunText(StringBuilder text, StringBuilder out) {
        if (text.length() > 0) {
            if (partBefore && !runHasText) {
                out.append(' ');
            }
            out.append(text);
            runHasText = true;
        }
    }

    private String cleaned(StringBuilder out, boolean last) {
        return tokenizer.cleansUpSpaces() ? cleanUp.accept(out.toString(), last) : out.toString();
    }
}
