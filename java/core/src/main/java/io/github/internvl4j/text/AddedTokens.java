package io.github.internvl4j.text;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The tokens that are cut out of a text before the model's vocabulary sees it, and which of them are special. */
abstract class AddedTokens {
    private final TreeMap<Integer, AddedToken> byId = new TreeMap<>();
    private final Map<String, Integer> ids = new HashMap<>();
    private final Set<String> special = new HashSet<>();

    /** While the object is made; a later token takes an id or a content over. */
    final void add(int id, AddedToken token) {
        byId.put(id, token);
        ids.put(token.content(), id);
    }

    /** While the object is made. @return whether it was not special before */
    final boolean addSpecial(String content) {
        return special.add(content);
    }

    /** The id of an added token. */
    final @Nullable Integer id(String content) {
        return ids.get(content);
    }

    /** The added token of an id. */
    final @Nullable AddedToken token(int id) {
        return byId.get(id);
    }

    /** The token of each id. */
    final Collection<AddedToken> tokens() {
        return byId.values();
    }

    final Set<Integer> ids() {
        return byId.keySet();
    }

    final Set<String> contents() {
        return ids.keySet();
    }

    /** One more than the highest id, or 0. */
    final int end() {
        return byId.isEmpty() ? 0 : byId.lastKey() + 1;
    }

    final boolean isSpecial(String content) {
        return special.contains(content);
    }

    /** Cuts a text at its added tokens. */
    abstract List<Fragment> split(String text);
}
