package io.github.internvl4j.text;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A set of strings that answers which of them is the longest to begin at a place of a text. Immutable. */
final class PrefixTrie {
    private static final class Node {
        final Map<Character, Node> next = new HashMap<>();
        boolean end;
    }

    private final Node root = new Node();

    PrefixTrie(Collection<String> words) {
        for (String word : words) {
            Node node = root;
            for (int i = 0; i < word.length(); i++) {
                node = node.next.computeIfAbsent(word.charAt(i), c -> new Node());
            }
            node.end = true;
        }
        root.end = false; // the empty string is never a match
    }

    /** The length of the longest word that begins at {@code from}, or 0. */
    int longestMatch(String text, int from) {
        int longest = 0;
        @Nullable Node node = root.next.get(text.charAt(from));
        for (int i = from + 1; node != null; i++) {
            if (node.end) {
                longest = i - from;
            }
            if (i == text.length()) {
                break;
            }
            node = node.next.get(text.charAt(i));
        }
        return longest;
    }
}
