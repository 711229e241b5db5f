package io.github.internvl4j.text;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * The tokens that a fast tokenizer cuts out of a text, as {@code AddedVocabulary} of the tokenizers library: first
 * those that are looked for in the text as it is, then, in what is left and once that is normalized, the others.
 * Immutable.
 */
final class FastAddedTokens extends AddedTokens {
    private final Map<String, Integer> typed = new HashMap<>();
    private final Map<String, Integer> normalized = new HashMap<>();
    private final PrefixTrie typedTrie;
    private final PrefixTrie normalizedTrie;
    private final UnaryOperator<String> normalizer;

    /**
     * @param tokens the tokens by their id; the {@code special} flag says what decoding skips
     * @param normalizer what happens to a text without added tokens
     */
    FastAddedTokens(Map<Integer, AddedToken> tokens, UnaryOperator<String> normalizer) {
        this.normalizer = normalizer;
        tokens.forEach((id, token) -> {
            add(id, token);
            if (token.special()) {
                addSpecial(token.content());
            }
            if (token.normalized()) {
                normalized.put(normalizer.apply(token.content()), id);
            } else {
                typed.put(token.content(), id);
            }
        });
        typedTrie = new PrefixTrie(typed.keySet());
        normalizedTrie = new PrefixTrie(normalized.keySet());
    }

    /** Cuts a text; what has no token is normalized. */
    @Override
    List<Fragment> split(String text) {
        List<Fragment> result = new ArrayList<>();
        for (Fragment fragment : cut(text, typedTrie, typed)) {
            if (fragment.token() != null) {
                result.add(fragment);
            } else {
                result.addAll(cut(normalizer.apply(fragment.text()), normalizedTrie, normalized));
            }
        }
        return result;
    }

    private List<Fragment> cut(String text, PrefixTrie trie, Map<String, Integer> tokens) {
        List<Fragment> fragments = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < text.length(); ) {
            int length = trie.longestMatch(text, i);
            Integer id = length == 0 ? null : tokens.get(text.substring(i, i + length));
            AddedToken token = id == null ? null : token(id);
            if (token == null || token.singleWord() && isInsideWord(text, i, i + length)) {
                i += Math.max(1, length);
                continue;
            }
            int start = i;
            int end = i + length;
            while (token.lstrip() && start > from && isSpace(text.charAt(start - 1))) {
                start--;
            }
            while (token.rstrip() && end < text.length() && isSpace(text.charAt(end))) {
                end++;
            }
            if (start > from) {
                fragments.add(Fragment.text(text.substring(from, start), false));
            }
            fragments.add(new Fragment(token.content(), token, false));
            i = end;
            from = end;
        }
        if (from < text.length()) {
            fragments.add(Fragment.text(text.substring(from), false));
        }
        return fragments;
    }

    private static boolean isSpace(char c) {
        return UnicodeLetters.UNICODE_16.kind(c) == UnicodeLetters.SPACE;
    }

    private static boolean isInsideWord(String text, int from, int to) {
        return from > 0 && isWord(text.codePointBefore(from)) || to < text.length() && isWord(text.codePointAt(to));
    }

    private static boolean isWord(int c) {
        int type = Character.getType(c);
        return Character.isAlphabetic(c)
                || type == Character.DECIMAL_DIGIT_NUMBER
                || type == Character.CONNECTOR_PUNCTUATION
                || type == Character.NON_SPACING_MARK
                || type == Character.COMBINING_SPACING_MARK
                || type == Character.ENCLOSING_MARK
                || c == 0x200C
                || c == 0x200D;
    }
}
