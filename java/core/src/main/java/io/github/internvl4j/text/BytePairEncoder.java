package io.github.internvl4j.text;

import io.github.internvl4j.text.SentencePieceModel.PieceType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToIntFunction;

/**
 * Byte pair encoding with the merge order of sentencepiece's {@code bpe_model.cc}: of all neighbours whose joined text
 * is a piece, the pair with the highest score is joined, of equal scores the leftmost. User-defined pieces are taken
 * whole first and never joined; a piece of type UNUSED is split again at the end the way it was last found; what the
 * vocabulary lacks becomes byte pieces, or one unknown token for a run of it ({@code PopulateSentencePieceText}).
 *
 * <p>Time is O(n log n) in the text's length and nothing recurses. Two texts are joined by one look-up of a pair of
 * symbols: a symbol is a piece's id, or a number past the ids for a character that occurs in pieces without being one.
 * Immutable; every call has its own working memory.
 */
final class BytePairEncoder {
    /** A character that occurs in no piece. Frozen user-defined pieces are below: {@code -2 - id}. */
    private static final int NO_SYMBOL = -1;

    private static final int EMIT_UNKNOWN = -1;
    private static final int EMIT_SPLIT = -2;

    private final TextNormalizer normalizer;
    private final PrefixTrie userDefined;
    private final ToIntFunction<String> tokenIds;
    private final Set<Integer> excluded;
    private final SentencePieceModel model;

    /** Code point to symbol. */
    private final LongIntMap characters = new LongIntMap();
    /** Two symbols to the piece they join to. */
    private final LongIntMap merges = new LongIntMap();
    /** By piece: its place when scores are sorted, highest first; equal scores share one. */
    private final int[] ranks;
    /** By symbol: the token id to give out, or one of the EMIT codes. */
    private final int[] emitted;
    /** By symbol: its text. */
    private final List<String> symbols = new ArrayList<>();

    private final int[] byteTokens;

    /**
     * @param model the vocabulary
     * @param excluded ids of pieces to treat as if they did not exist
     * @param tokenIds gives the token id for a piece's text; the tokenizer may have other ids than the model
     */
    BytePairEncoder(SentencePieceModel model, Set<Integer> excluded, ToIntFunction<String> tokenIds) {
        this.model = model;
        this.excluded = excluded;
        this.tokenIds = tokenIds;
        List<String> whole = new ArrayList<>();
        for (int id = 0; id < model.size(); id++) {
            symbols.add(model.piece(id).text());
            if (model.piece(id).type() == PieceType.USER_DEFINED && !excluded.contains(id)) {
                whole.add(model.piece(id).text());
            }
        }
        userDefined = new PrefixTrie(whole);
        normalizer = new TextNormalizer(model.normalization(), userDefined);
        ranks = ranks(model);
        indexCharacters();
        indexMerges();
        emitted = new int[symbols.size()];
        for (int symbol = 0; symbol < emitted.length; symbol++) {
            emitted[symbol] = emission(symbols.get(symbol));
        }
        byteTokens = new int[model.byteFallback() ? 256 : 0];
        for (int b = 0; b < byteTokens.length; b++) {
            byteTokens[b] = tokenIds.applyAsInt(SentencePieceModel.bytePiece(b));
        }
    }

    private static int[] ranks(SentencePieceModel model) {
        float[] sorted = new float[model.size()];
        for (int id = 0; id < sorted.length; id++) {
            sorted[id] = -model.piece(id).score() + 0.0f; // + 0 makes -0 and 0 one score
        }
        float[] scores = sorted.clone();
        Arrays.sort(sorted);
        int distinct = 0;
        for (float score : sorted) {
            if (distinct == 0 || sorted[distinct - 1] != score) {
                sorted[distinct++] = score;
            }
        }
        int[] ranks = new int[scores.length];
        for (int id = 0; id < ranks.length; id++) {
            ranks[id] = Arrays.binarySearch(sorted, 0, distinct, scores[id]);
        }
        return ranks;
    }

    private void indexCharacters() {
        for (int id = 0; id < model.size(); id++) {
            if (isOrdinary(id)) {
                model.piece(id).text().codePoints().forEach(c -> {
                    if (characters.get(c) < 0) {
                        String text = Character.toString(c);
                        int piece = ordinaryId(text);
                        if (piece < 0) {
                            piece = symbols.size();
                            symbols.add(text);
                        }
                        characters.put(c, piece);
                    }
                });
            }
        }
    }

    private void indexMerges() {
        for (int id = 0; id < model.size(); id++) {
            if (!isOrdinary(id)) {
                continue;
            }
            String text = model.piece(id).text();
            for (int cut = text.offsetByCodePoints(0, 1); cut < text.length(); cut = text.offsetByCodePoints(cut, 1)) {
                int left = symbol(text.substring(0, cut));
                int right = left < 0 ? NO_SYMBOL : symbol(text.substring(cut));
                if (right >= 0) {
                    merges.put(pair(left, right), id);
                }
            }
        }
    }

    private int symbol(String text) {
        return text.codePointCount(0, text.length()) == 1 ? characters.get(text.codePointAt(0)) : ordinaryId(text);
    }

    private boolean isOrdinary(int id) {
        PieceType type = model.piece(id).type();
        return (type == PieceType.NORMAL || type == PieceType.USER_DEFINED || type == PieceType.UNUSED)
                && !excluded.contains(id);
    }

    private int ordinaryId(String text) {
        int id = model.ordinaryId(text);
        return excluded.contains(id) ? -1 : id;
    }

    private int emission(String text) {
        int id = model.pieceId(text);
        if (id == model.unknownId() || excluded.contains(id)) {
            return EMIT_UNKNOWN;
        }
        return model.piece(id).type() == PieceType.UNUSED ? EMIT_SPLIT : tokenIds.applyAsInt(text);
    }

    private static long pair(int left, int right) {
        return (long) left << 32 | right;
    }

    /** Appends the token ids of a text (valid UTF-16) to a list. */
    void encode(String text, IntList out) {
        String normalized = normalizer.normalize(text);
        if (!normalized.isEmpty()) {
            new Run(normalized).encode(out);
        }
    }

    /** One text on its way: a doubly linked list of symbols in arrays, joined until nothing joins. */
    private final class Run {
        private final String text;
        private final int[] symbol;
        private final int[] start;
        private final int[] previous;
        private final int[] next;
        /** By left symbol: the piece it and its right neighbour join to, or -1. */
        private final int[] joined;

        private final MergeQueue queue = new MergeQueue();
        /** By UNUSED piece: the two symbols it was last seen to consist of. */
        private final Map<Integer, int[]> splits = new HashMap<>();

        private final StringBuilder unknown = new StringBuilder();

        Run(String text) {
            this.text = text;
            int capacity = text.codePointCount(0, text.length());
            symbol = new int[capacity];
            start = new int[capacity];
            previous = new int[capacity];
            next = new int[capacity];
            joined = new int[capacity];
        }

        void encode(IntList out) {
            int count = split();
            for (int i = 0; i < count; i++) {
                previous[i] = i - 1;
                next[i] = i + 1 < count ? i + 1 : -1;
            }
            for (int i = 0; i < count; i++) {
                offer(i);
            }
            while (!queue.isEmpty()) {
                long entry = queue.poll();
                int left = (int) entry;
                // An entry outlives its pair; the pair that is there now counts if it has the entry's rank.
                if (joined[left] >= 0 && ranks[joined[left]] == (int) (entry >>> 32)) {
                    join(left);
                }
            }
            for (int i = 0; i >= 0; i = next[i]) {
                emit(i, out);
            }
            flushUnknown(out);
        }

        private int split() {
            int count = 0;
            for (int i = 0; i < text.length(); ) {
                start[count] = i;
                int length = userDefined.longestMatch(text, i);
                if (length > 0) {
                    symbol[count++] = -2 - model.ordinaryId(text.substring(i, i + length));
                } else {
                    int c = text.codePointAt(i);
                    symbol[count++] = characters.get(c);
                    length = Character.charCount(c);
                }
                i += length;
            }
            return count;
        }

        /** Looks whether a symbol and its right neighbour join, and notes it. */
        private void offer(int left) {
            int right = next[left];
            int piece = right < 0 || symbol[left] < 0 || symbol[right] < 0
                    ? -1
                    : merges.get(pair(symbol[left], symbol[right]));
            joined[left] = piece;
            if (piece >= 0) {
                queue.add((long) ranks[piece] << 32 | left);
                if (emitted[piece] == EMIT_SPLIT) {
                    splits.put(piece, new int[] {symbol[left], symbol[right]});
                }
            }
        }

        private void join(int left) {
            int right = next[left];
            symbol[left] = joined[left];
            joined[right] = -1;
            next[left] = next[right];
            if (next[left] >= 0) {
                previous[next[left]] = left;
            }
            if (previous[left] >= 0) {
                offer(previous[left]);
            }
            offer(left);
        }

        private void emit(int i, IntList out) {
            if (symbol[i] == NO_SYMBOL) {
                String character = text.substring(start[i], next[i] < 0 ? text.length() : start[next[i]]);
                emit(emission(character), character, out);
                return;
            }
            int whole = symbol[i] < NO_SYMBOL ? -2 - symbol[i] : symbol[i];
            if (emitted[whole] != EMIT_SPLIT) {
                emit(emitted[whole], symbols.get(whole), out);
                return;
            }
            Deque<Integer> pending = new ArrayDeque<>();
            pending.push(whole);
            while (!pending.isEmpty()) {
                int s = pending.pop();
                int[] parts = emitted[s] == EMIT_SPLIT ? splits.get(s) : null;
                if (parts != null) {
                    pending.push(parts[1]);
                    pending.push(parts[0]);
                } else {
                    emit(emitted[s], symbols.get(s), out);
                }
            }
        }

        private void emit(int emission, String piece, IntList out) {
            if (emission == EMIT_SPLIT) { // an unused character: nothing to split it into
                emission = tokenIds.applyAsInt(piece);
            }
            if (emission != EMIT_UNKNOWN) {
                flushUnknown(out);
                out.add(emission);
            } else if (byteTokens.length > 0) {
                for (byte b : piece.getBytes(StandardCharsets.UTF_8)) {
                    out.add(byteTokens[b & 0xFF]);
                }
            } else {
                unknown.append(piece);
            }
        }

        /** A run of unknown characters is one token; its text is looked up, as transformers does. */
        private void flushUnknown(IntList out) {
            if (unknown.length() > 0) {
                out.add(tokenIds.applyAsInt(unknown.toString()));
                unknown.setLength(0);
            }
        }
    }
}
