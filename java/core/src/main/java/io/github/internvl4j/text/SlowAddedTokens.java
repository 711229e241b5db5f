package io.github.internvl4j.text;

import io.github.internvl4j.text.TokenizerSettings.Named;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The tokens that are cut out of a text before the model sees it, and which of them are special, as
 * {@code PreTrainedTokenizer.__init__} and {@code _add_tokens} of transformers arrive at them. Immutable.
 *
 * <p>"Special" is what bos_token, eos_token, ..., additional_special_tokens name; the {@code special} flag of an added
 * token says nothing about it. So {@code <|endoftext|>} of the published checkpoint is not special: it stays in an
 * answer.
 */
final class SlowAddedTokens extends AddedTokens {
    private final Set<String> separate;
    private final PrefixTrie trie;

    SlowAddedTokens(Vocabulary base, TokenizerSettings settings) {
        settings.declared().forEach(this::add);
        List<Named> named = new ArrayList<>(settings.named());
        named.addAll(settings.additional());
        named.addAll(settings.extra());
        Map<String, Integer> vocabulary = new HashMap<>();
        for (int id = 0; id < base.size(); id++) {
            AddedToken token = token(id);
            vocabulary.put(token == null ? base.text(id) : token.content(), id);
        }
        settings.declared().forEach((id, token) -> vocabulary.put(token.content(), id));
        int nextId = vocabulary.size();
        for (Named token : named) {
            String content = token.content();
            if (content.isEmpty() || !addSpecial(content) || token.flags() == null && id(content) != null) {
                continue;
            }
            Integer id = vocabulary.get(content);
            if (id == null) {
                id = nextId++;
                vocabulary.put(content, id);
            }
            add(id, token.flags() == null ? AddedToken.plain(content) : token.flags());
        }
        separate = contents().stream()
                .filter(content -> !isSpecial(content))
                .collect(Collectors.toCollection(HashSet::new));
        for (Named token : settings.additional()) {
            Integer id = id(token.content());
            if (id != null && id >= base.size()) {
                separate.add(token.content());
            }
        }
        trie = new PrefixTrie(tokens().stream().map(AddedToken::content).toList());
    }

    /** Whether decoding keeps this token apart from its neighbours ({@code legacy_added_tokens} of {@code _decode}). */
    boolean isSeparate(String content) {
        return separate.contains(content);
    }

    /**
     * Cuts a text at its added tokens, the leftmost first and of those the longest. (transformers' {@code Trie.split}
     * does the same except where one added token lies inside what might have become another: there it can cut out text
     * that is no token at all. The tokens of real checkpoints do not overlap.)
     */
    @Override
    List<Fragment> split(String text) {
        List<Fragment> fragments = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < text.length(); ) {
            int length = trie.longestMatch(text, i);
            if (length == 0) {
                i++;
                continue;
            }
            if (i > from) {
                fragments.add(fragment(text.substring(from, i)));
            }
            fragments.add(fragment(text.substring(i, i + length)));
            i += length;
            from = i;
        }
        if (from < text.length()) {
            fragments.add(fragment(text.substring(from)));
        }
        return fragments;
    }

    private Fragment fragment(String text) {
        Integer id = id(text);
        return new Fragment(text, id == null ? null : token(id), false);
    }
}
