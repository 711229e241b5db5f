package io.github.internvl4j.text;

import java.util.List;

/** What the slow tokenizers over a SentencePiece model have in common. */
abstract class SentencePieceRules implements SlowRules {
    final SentencePieceModel model;
    final TokenizerSettings settings;
    final SlowAddedTokens added;
    private final SentencePieceEncoder encoder;

    /** @param model the model as the class loads it */
    SentencePieceRules(SentencePieceModel model, TokenizerSettings settings, SlowAddedTokens added) {
        this.model = model;
        this.settings = settings;
        this.added = added;
        this.encoder = new SentencePieceEncoder(model, added);
    }

    @Override
    public void encode(String stretch, boolean literal, IntList out) {
        encoder.encode(stretch, literal, out);
    }

    @Override
    public final List<String> marks() {
        return encoder.marks();
    }

    @Override
    public final boolean cleansUpSpaces() {
        return settings.cleanUpSpaces();
    }
}
