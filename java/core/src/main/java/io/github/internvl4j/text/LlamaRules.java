package io.github.internvl4j.text;

import java.util.Objects;

/**
 * {@code LlamaTokenizer}. Decoding has that tokenizer's quirks: a space put before the text in front of a special
 * token, a U+2581 left standing where the first piece of a text, its leading space taken away, is no piece any more.
 */
final class LlamaRules extends SentencePieceRules {
    private final String unknown;

    /** @param model the model as the class loads it: without dummy prefix if the settings are not legacy */
    LlamaRules(SentencePieceModel model, TokenizerSettings settings, SlowAddedTokens added) {
        super(model, settings, added);
        this.unknown = Objects.requireNonNullElse(settings.unknown(), "");
    }

    @Override
    public String prefix() {
        return !settings.legacy() && settings.addPrefixSpace() ? SentencePieceModel.SPACE : "";
    }

    @Override
    public String loneToken() {
        return settings.legacy() ? "" : SentencePieceModel.SPACE;
    }

    @Override
    public String prepare(String text) {
        return settings.legacy() ? text : text.replace(SentencePieceModel.SPACE, " ");
    }

    @Override
    public void encode(String stretch, boolean literal, IntList out) {
        if (settings.legacy() || !stretch.startsWith(SentencePieceModel.SPACE) && !stretch.startsWith(" ")) {
            super.encode(stretch, literal, out);
            return;
        }
        // The space is kept from sentencepiece behind an unknown token, whose pieces are then cut off.
        IntList guard = new IntList();
        super.encode(unknown, literal, guard);
        IntList all = new IntList();
        super.encode(unknown + stretch, literal, all);
        for (int i = all.size() >= guard.size() ? guard.size() : 0; i < all.size(); i++) {
            out.add(all.get(i));
        }
    }

    @Override
    public RunDecoder newRun(boolean special) {
        return new Run(special);
    }

    private final class Run implements RunDecoder {
        private final boolean holds;
        private final StringBuilder held = new StringBuilder();
        private PieceDecoder pieces = new PieceDecoder(model);
        private int count;
        private boolean afterSpecial;

        /** @param holds whether text waits for a special token, which may want a space before all of it */
        Run(boolean holds) {
            this.holds = holds;
        }

        @Override
        public void accept(String token, StringBuilder out) {
            boolean first = count == 0;
            String piece = first && settings.addPrefixSpace() && token.startsWith(SentencePieceModel.SPACE)
                    ? token.substring(1)
                    : token;
            if (added.isSpecial(piece)) {
                if (!afterSpecial && !first && settings.legacy()) {
                    out.append(' ');
                }
                flush(out);
                out.append(piece);
                pieces = new PieceDecoder(model);
                afterSpecial = true;
            } else {
                if (afterSpecial
                        && count == 1
                        && settings.addPrefixSpace()
                        && !piece.startsWith(SentencePieceModel.SPACE)) {
                    out.append(' ');
                }
                pieces.accept(piece, holds ? held : out);
                afterSpecial = false;
            }
            count = Math.min(count + 1, 2);
        }

        @Override
        public void finish(StringBuilder out) {
            flush(out);
        }

        private void flush(StringBuilder out) {
            pieces.finish(held);
            out.append(held);
            held.setLength(0);
        }
    }
}
