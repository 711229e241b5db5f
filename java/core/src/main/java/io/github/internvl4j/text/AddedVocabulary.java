package io.github.internvl4j.text;

import io.github.internvl4j.text.TokenizerSettings.Named;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The tokens that are cut out of a text before the model sees it, and which of them are special, as
 * {@code PreTrainedTokenizer.__init__} and {@code _add_tokens} of transformers arrive at them. Immutable.
 *
 * <p>"Special" is what bos_token, eos_token, ..., additional_special_tokens name; the {@code special} flag of an added
 * token says nothing about it. So {@code <|endoftext|>} of the published checkpoint is not special: it stays in an
 * answer.
 */
final class AddedVocabulary {
    private final TreeMap<Integer, AddedToken> byId = new TreeMap<>();
    private final Map<String, Integer> ids = new HashMap<>();
    private final Set<String> special = new LinkedHashSet<>();
    private final Set<String> separate;
    private final PrefixTrie trie;

    AddedVocabulary(Vocabulary base, TokenizerSettings settings) {
        settings.declared().forEach((id, token) -> {
            byId.put(id, token);
            ids.put(token.content(), id);
        });
        List<Named> named = new ArrayList<>(settings.named());
        named.addAll(settings.additional());
        named.addAll(settings.extra());
        Map<String, Integer> vocabulary = new HashMap<>();
        for (int id = 0; id < base.size(); id++) {
            AddedToken token = byId.get(id);
            vocabulary.put(token == null ? base.text(id) : token.content(), id);
        }
        vocabulary.putAll(ids);
        int nextId = vocabulary.size();
        for (Named token : named) {
            String content = token.content();
            if (content.isEmpty() || !special.add(content) || token.flags() == null && ids.containsKey(content)) {
                continue;
            }
            Integer id = vocabulary.get(content);
            if (id == null) {
                id = nextId++;
                vocabulary.put(content, id);
            }
            byId.put(id, token.flags() == null ? AddedToken.plain(content) : token.flags());
            ids.put(content, id);
        }
        separate = new HashSet<>(ids.keySet());
        separate.removeAll(special);
        for (Named token : settings.additional()) {
            Integer id = ids.get(token.content());
            if (id != null && id >= base.size()) {
                separate.add(token.content());
            }
        }
        trie = new PrefixTrie(byId.values().stream().map(AddedToken::content).toList());
    }

    /** The id of an added token. */
    @Nullable Integer id(String content) {
        return ids.get(content);
    }

    /** The added token of an id. */
    @Nullable AddedToken token(int id) {
        return byId.get(id);
    }

    Set<Integer> ids() {
        return byId.keySet();
    }

    Set<String> contents() {
        return ids.keySet();
    }

    /** One more than the highest id, or 0. */
    int end() {
        return byId.isEmpty() ? 0 : byId.lastKey() + 1;
    }

    boolean isSpecial(String content) {
        return special.contains(content);
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
    List<Fragment> split(String text) {
        List<Fragment> fragments = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < text.length();) {
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
        Integer id = ids.get(text);
        return new Fragment(text, id == null ? null : byId.get(id), false);
    }
}
