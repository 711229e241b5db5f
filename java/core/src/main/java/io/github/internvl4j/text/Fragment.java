package io.github.internvl4j.text;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A stretch of a text that is one added token, or that has none.
 *
 * @param text the stretch
 * @param token the added token it is, or null
 */
record Fragment(String text, @Nullable AddedToken token) {
    static Fragment text(String text) {
        return new Fragment(text, null);
    }

    /** Adds a fragment to a list; text behind text becomes one. */
    static void join(List<Fragment> fragments, Fragment next) {
        int last = fragments.size() - 1;
        if (next.token() == null && last >= 0 && fragments.get(last).token() == null) {
            fragments.set(last, text(fragments.get(last).text() + next.text()));
        } else {
            fragments.add(next);
        }
    }

    /**
     * Lets added tokens swallow whitespace beside them, or dissolve in a word, as their flags say: the middle part of
     * {@code PreTrainedTokenizer.tokenize}. Neighbours are looked at as they were before their other side was stripped,
     * as there.
     */
    static List<Fragment> applyFlags(List<Fragment> fragments) {
        List<Fragment> result = new ArrayList<>(fragments);
        for (int i = 0; i < result.size(); i++) {
            AddedToken token = result.get(i).token();
            if (token == null || !token.lstrip() && !token.rstrip() && !token.singleWord()) {
                continue;
            }
            String left = i > 0 ? result.get(i - 1).text() : "";
            String right = i + 1 < result.size() ? result.get(i + 1).text() : "";
            if (token.rstrip() && !right.isEmpty()) {
                result.set(i + 1, result.get(i + 1).withText(PythonText.stripLeading(right)));
            }
            if (token.lstrip() && !left.isEmpty()) {
                result.set(i - 1, result.get(i - 1).withText(PythonText.stripTrailing(left)));
            }
            if (token.singleWord() && !left.isEmpty() && !left.endsWith(" ")) {
                result.set(i - 1, text(result.get(i - 1).text() + result.get(i).text()));
                result.set(i, text(""));
            } else if (token.singleWord() && !right.isEmpty() && !right.startsWith(" ")) {
                result.set(i + 1, text(result.get(i).text() + result.get(i + 1).text()));
                result.set(i, text(""));
            }
        }
        return result;
    }

    private Fragment withText(String changed) {
        return new Fragment(changed, changed.equals(text) ? token : null);
    }
}
