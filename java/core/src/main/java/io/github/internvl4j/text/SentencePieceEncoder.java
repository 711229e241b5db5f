package io.github.internvl4j.text;

import io.github.internvl4j.text.SentencePieceModel.PieceType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Encodes with a SentencePiece model in a tokenizer that has added tokens: a piece may have been given another name, or
 * another id. Immutable.
 */
final class SentencePieceEncoder {
    private final SentencePieceModel model;
    private final BytePairEncoder encoder;
    private final List<String> marks = new ArrayList<>();
    /** Pieces that literal encoding does as if they did not exist. */
    private final Set<Integer> hidden = new HashSet<>();
    /** Made when first needed: its tables take as long as the rest of loading. */
    private volatile @Nullable BytePairEncoder literalEncoder;

    SentencePieceEncoder(SentencePieceModel model, SlowAddedTokens added) {
        this.model = model;
        encoder = new BytePairEncoder(model, Set.of(), text -> {
            Integer id = added.id(text);
            return id == null ? model.pieceId(text) : id;
        });
        hidden.addAll(added.ids());
        for (int id = 0; id < model.size(); id++) {
            String text = model.piece(id).text();
            AddedToken token = added.token(id);
            boolean renamed = token != null && !token.content().equals(text) && model.ordinaryId(text) == id;
            if (renamed || model.piece(id).type() == PieceType.USER_DEFINED && isMark(text)) {
                marks.add(text);
                hidden.add(id);
            }
            if (added.id(text) != null) {
                hidden.add(id);
            }
        }
    }

    private static boolean isMark(String text) {
        return text.length() > 2 && text.startsWith("<") && text.endsWith(">");
    }

    void encode(String text, boolean literal, IntList out) {
        (literal ? literalEncoder() : encoder).encode(text, out);
    }

    /** The strings that text could become a mark by: user-defined pieces, and the old names of added tokens. */
    List<String> marks() {
        return marks;
    }

    private BytePairEncoder literalEncoder() {
        BytePairEncoder made = literalEncoder;
        if (made == null) {
            made = new BytePairEncoder(model, hidden, text -> {
                int id = model.pieceId(text);
                return hidden.contains(id) ? model.unknownId() : id;
            });
            literalEncoder = made; // two threads may both make one; they are equal
        }
        return made;
    }
}
