package io.github.internvl4j.text;

/** What all decoders of one text do: skip special tokens if asked to, take spaces before punctuation away if that is asked for. */
abstract class TokenDecoder implements StreamDecoder {
    private final Tokenizer tokenizer;
    private final boolean skipSpecial;
    private final boolean cleansUpSpaces;
    private final SpaceCleanUp cleanUp = new SpaceCleanUp();
    private boolean finished;

    TokenDecoder(Tokenizer tokenizer, boolean skipSpecial, boolean cleansUpSpaces) {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
        this.cleansUpSpaces = cleansUpSpaces;
    }

    /** Appends what a token adds to the text. */
    abstract void decode(String token, StringBuilder out);

    /** Appends what was held back. */
    abstract void end(StringBuilder out);

    @Override
    public final String accept(int tokenId) {
        if (finished) {
            throw new IllegalStateException("the answer was finished; a StreamDecoder decodes one answer");
        }
        String token = tokenizer.tokenText(tokenId);
        if (skipSpecial && tokenizer.isSpecial(tokenId)) {
            return "";
        }
        StringBuilder out = new StringBuilder();
        decode(token, out);
        return cleaned(out, false);
    }

    @Override
    public final String finish() {
        if (finished) {
            return "";
        }
        finished = true;
        StringBuilder out = new StringBuilder();
        end(out);
        return cleaned(out, true);
    }

    private String cleaned(StringBuilder out, boolean last) {
        return cleansUpSpaces ? cleanUp.accept(out.toString(), last) : out.toString();
    }
}
