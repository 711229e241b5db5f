package io.github.internvl4j.text;

/**
 * {@code InternLM2Tokenizer}. Its decoding takes spaces before punctuation away whatever the settings say, and puts a
 * space before the text in front of a special token, even where that text is empty.
 */
final class InternLm2Rules extends SentencePieceRules {
    InternLm2Rules(SentencePieceModel model, TokenizerSettings settings, SlowAddedTokens added) {
        super(model, settings, added);
    }

    @Override
    public RunDecoder newRun(boolean special) {
        return new Run(special);
    }

    private final class Run implements RunDecoder {
        private final boolean holds;
        private final StringBuilder held = new StringBuilder();
        private final SpaceCleanUp cleanUp = new SpaceCleanUp();
        private PieceDecoder pieces = new PieceDecoder(model);
        private boolean afterSpecial;

        /** @param holds whether text waits for a special token, which wants a space before all of it */
        Run(boolean holds) {
            this.holds = holds;
        }

        @Override
        public void accept(String token, StringBuilder out) {
            StringBuilder text = new StringBuilder();
            if (added.isSpecial(token)) {
                if (!afterSpecial) {
                    text.append(' ');
                }
                pieces.finish(held);
                text.append(held).append(token);
                held.setLength(0);
                pieces = new PieceDecoder(model);
            } else {
                pieces.accept(token, holds ? held : text);
            }
            afterSpecial = added.isSpecial(token);
            out.append(cleanUp.accept(text.toString(), false));
        }

        @Override
        public void finish(StringBuilder out) {
            pieces.finish(held);
            out.append(cleanUp.accept(held.toString(), true));
        }
    }
}
