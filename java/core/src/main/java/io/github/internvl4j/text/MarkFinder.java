package io.github.internvl4j.text;

import java.util.Collection;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Finds what a user should not type: {@link Tokenizer#findMark}. Immutable. */
final class MarkFinder {
    private final PrefixTrie marks;
    private final UnaryOperator<String> prepare;

    /**
     * @param marks the strings to find
     * @param prepare what encoding does to a text first; a mark may come out of it that was not typed
     */
    MarkFinder(Collection<String> marks, UnaryOperator<String> prepare) {
        this.marks = new PrefixTrie(marks);
        this.prepare = prepare;
    }

    Optional<String> find(String text) {
        Optional<String> typed = search(text);
        return typed.isPresent() ? typed : search(prepare.apply(PythonText.replaceLoneSurrogates(text)));
    }

    private Optional<String> search(String text) {
        for (int i = 0; i < text.length(); i++) {
            int length = marks.longestMatch(text, i);
            if (length > 0) {
                return Optional.of(text.substring(i, i + length));
            }
        }
        return Optional.empty();
    }
}
