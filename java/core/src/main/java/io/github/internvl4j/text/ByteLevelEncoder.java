package io.github.internvl4j.text;

import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Encodes text with a {@link ByteLevelModel}: the text is cut into words, and in each word, from its bytes on, the
 * neighbours of the lowest rank are joined, of equal ones the leftmost, until none join. Time is O(n log n) in the
 * length of a word; frequent words are remembered. Safe for many threads.
 */
final class ByteLevelEncoder {
    /** A power of two; with English text most words are found among so many. */
    private static final int REMEMBERED_WORDS = 1 << 14;

    private static final int REMEMBERED_LENGTH = 64;

    private record Word(String text, int[] ids) {}

    private final ByteLevelModel model;
    private final WordSplitter splitter;
    private final Set<Integer> excluded;
    /** By hash: the word of that hash seen last. */
    private final AtomicReferenceArray<@Nullable Word> words = new AtomicReferenceArray<>(REMEMBERED_WORDS);

    /** @param excluded ids of tokens to treat as if nothing joined to them */
    ByteLevelEncoder(ByteLevelModel model, WordSplitter splitter, Set<Integer> excluded) {
        this.model = model;
        this.splitter = splitter;
        this.excluded = excluded;
    }

    /** Appends the token ids of a text (valid UTF-16) to a list. */
    void encode(String text, IntList out) {
        for (int from = 0; from < text.length(); ) {
            int end = splitter.end(text, from);
            for (int id : word(text.substring(from, end))) {
                out.add(id);
            }
            from = end;
        }
    }

    private int[] word(String text) {
        if (text.length() > REMEMBERED_LENGTH) {
            return new Run(text.getBytes(StandardCharsets.UTF_8)).join();
        }
        int hash = text.hashCode();
        int slot = (hash ^ hash >>> 16) & REMEMBERED_WORDS - 1;
        Word known = words.get(slot);
        if (known == null || !known.text().equals(text)) {
            known = new Word(text, new Run(text.getBytes(StandardCharsets.UTF_8)).join());
            words.set(slot, known);
        }
        return known.ids();
    }

    /** One word on its way: a doubly linked list of tokens in arrays. */
    private final class Run {
        private final byte[] bytes;
        private final int[] token;
        private final int[] previous;
        private final int[] next;
        /** By left token: the rank of it and its right neighbour, or -1. */
        private final int[] rank;

        private final MergeQueue queue = new MergeQueue();

        Run(byte[] bytes) {
            this.bytes = bytes;
            token = new int[bytes.length];
            previous = new int[bytes.length];
            next = new int[bytes.length];
            rank = new int[bytes.length];
        }

        int[] join() {
            if (model.wholeWordsFirst()) {
                int whole = model.find(ByteAlphabet.write(bytes)).orElse(-1);
                if (whole >= 0 && !excluded.contains(whole)) {
                    return new int[] {whole};
                }
            }
            int count = bytes.length;
            for (int i = 0; i < count; i++) {
                token[i] = model.byteId(bytes[i] & 0xFF);
                previous[i] = i - 1;
                next[i] = i + 1 < count ? i + 1 : -1;
            }
            for (int i = 0; i < count; i++) {
                offer(i);
            }
            while (!queue.isEmpty()) {
                long entry = queue.poll();
                int left = (int) entry;
                // An entry outlives its pair; it counts if the pair that is there now has its rank.
                if (rank[left] == (int) (entry >>> 32)) {
                    joinAt(left);
                    count--;
                }
            }
            int[] ids = new int[count];
            for (int i = 0, k = 0; i >= 0; i = next[i]) {
                ids[k++] = token[i];
            }
            return ids;
        }

        /** Looks whether a token and its right neighbour join, and notes it. */
        private void offer(int left) {
            int right = next[left];
            int found = right < 0 ? -1 : model.rank(token[left], token[right]);
            if (found >= 0 && excluded.contains(model.joined(found))) {
                found = -1;
            }
            rank[left] = found;
            if (found >= 0) {
                queue.add((long) found << 32 | left);
            }
        }

        private void joinAt(int left) {
            int right = next[left];
            token[left] = model.joined(rank[left]);
            rank[right] = -1;
            next[left] = next[right];
            if (next[left] >= 0) {
                previous[next[left]] = left;
            }
            if (previous[left] >= 0) {
                offer(previous[left]);
            }
            offer(left);
        }
    }
}
