package io.github.internvl4j.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A stretch of text on its way to the tokenizer.
 * A record: it is handed from one part of the library to the next.
 *
 * @param text the stretch
 * @param literal whether special tokens in it are spelled out
 */
public record Stretch(String text, boolean literal) {
    /** Nothing may be null. */
    public Stretch {
        Objects.requireNonNull(text, "text");
    }

    /** Without empty ones, neighbours of one kind joined: a token may begin in one stretch and end in the next. */
    static List<Stretch> joined(List<Stretch> stretches) {
        List<Stretch> joined = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        boolean literal = false;
        for (Stretch next : stretches) {
            if (next.literal != literal && !next.text.isEmpty()) {
                add(joined, text, literal);
                literal = next.literal;
            }
            text.append(next.text);
        }
        add(joined, text, literal);
        return joined;
    }

    private static void add(List<Stretch> joined, StringBuilder text, boolean literal) {
        if (text.length() > 0) {
            joined.add(new Stretch(text.toString(), literal));
        }
        text.setLength(0);
    }
}
