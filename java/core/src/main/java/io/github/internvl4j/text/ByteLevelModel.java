package io.github.internvl4j.text;

import io.github.internvl4j.error.CheckpointException;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.IntFunction;

/**
 * A byte-level BPE: tokens written in the {@link ByteAlphabet}, and which two of them join to which, the earlier the
 * lower their rank. Immutable.
 */
final class ByteLevelModel implements Vocabulary {
    /**
     * Two tokens that join.
     *
     * @param left the left one
     * @param right the right one
     */
    record Merge(String left, String right) {}

    private final String[] tokens;
    private final Map<String, Integer> ids;
    private final int[] byteIds = new int[256];
    /** The pair of two ids to its rank. */
    private final LongIntMap ranks = new LongIntMap();
    /** By rank: the id of the joined token. */
    private final int[] joined;

    private final boolean wholeWordsFirst;

    /**
     * @param ids the id of every token
     * @param where what the ids are, for messages: file and field
     * @param merges the merges, the first one joined first
     * @param mergeWhere the same for a merge by its place in the list
     * @param wholeWordsFirst whether a word that is a token is that token, whatever the merges make of it
     * @throws CheckpointException if the ids are not 0 to n - 1, or a byte or a part of a merge is no token
     */
    ByteLevelModel(
            Map<String, Integer> ids,
            String where,
            List<Merge> merges,
            IntFunction<String> mergeWhere,
            boolean wholeWordsFirst) {
        this.ids = ids;
        this.wholeWordsFirst = wholeWordsFirst;
        tokens = byId(ids, where);
        for (int b = 0; b < 256; b++) {
            String token = String.valueOf(ByteAlphabet.character(b));
            Integer id = ids.get(token);
            if (id == null) {
                throw new CheckpointException(where + ": no token \"" + token + "\" for the byte " + b
                        + "; expected one for each of the 256 bytes");
            }
            byteIds[b] = id;
        }
        joined = new int[merges.size()];
        for (int rank = 0; rank < joined.length; rank++) {
            Merge merge = merges.get(rank);
            int left = known(merge.left(), mergeWhere, rank);
            int right = known(merge.right(), mergeWhere, rank);
            joined[rank] = known(merge.left() + merge.right(), mergeWhere, rank);
            ranks.put(pair(left, right), rank);
        }
    }

    private static String[] byId(Map<String, Integer> ids, String where) {
        String[] tokens = new String[ids.size()];
        ids.forEach((token, id) -> {
            if (id < 0 || id >= tokens.length) {
                throw new CheckpointException(where + ": \"" + token + "\" has the id " + id + "; expected the "
                        + tokens.length + " tokens to have the ids 0 to " + (tokens.length - 1) + ", each once");
            }
            if (tokens[id] != null) {
                throw new CheckpointException(where + ": \"" + token + "\" has the id " + id + " of \"" + tokens[id]
                        + "\"; expected an id of its own");
            }
            tokens[id] = token;
        });
        return tokens;
    }

    private int known(String token, IntFunction<String> where, int rank) {
        Integer id = ids.get(token);
        if (id == null) {
            throw new CheckpointException(where.apply(rank) + ": \"" + token + "\" is no token of the vocabulary");
        }
        return id;
    }

    private static long pair(int left, int right) {
        return (long) left << 32 | right;
    }

    @Override
    public int size() {
        return tokens.length;
    }

    @Override
    public String text(int id) {
        return tokens[id];
    }

    @Override
    public byte[] bytes(int id) {
        return ByteAlphabet.read(tokens[id]);
    }

    @Override
    public OptionalInt find(String token) {
        Integer id = ids.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    int byteId(int value) {
        return byteIds[value];
    }

    /** The rank of two neighbours, or -1 if they do not join. */
    int rank(int left, int right) {
        return ranks.get(pair(left, right));
    }

    /** What the neighbours of a rank join to. */
    int joined(int rank) {
        return joined[rank];
    }

    boolean wholeWordsFirst() {
        return wholeWordsFirst;
    }
}
