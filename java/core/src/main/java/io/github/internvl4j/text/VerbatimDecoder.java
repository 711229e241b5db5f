package io.github.internvl4j.text;

/** Decodes tokens to the text of their bytes: no space is taken away, whatever the checkpoint asks for. */
final class VerbatimDecoder implements StreamDecoder {
    private final Tokenizer tokenizer;
    private final Utf8Decoder characters = new Utf8Decoder();
    private boolean finished;

    VerbatimDecoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    @Override
    public String accept(int tokenId) {
        if (finished) {
            throw new IllegalStateException("the answer was finished; a StreamDecoder decodes one answer");
        }
        StringBuilder out = new StringBuilder();
        if (!tokenizer.isSpecial(tokenId)) {
            for (byte value : tokenizer.tokenBytes(tokenId)) {
                characters.accept(value & 0xFF, out);
            }
        }
        return out.toString();
    }

    @Override
    public String finish() {
        finished = true;
        StringBuilder out = new StringBuilder();
        characters.finish(out);
        return out.toString();
    }
}
