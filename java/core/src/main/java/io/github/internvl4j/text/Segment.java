package io.github.internvl4j.text;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A stretch of a prompt, and who wrote it.
 * A record: it is handed from one part of the library to the next.
 *
 * @param text the stretch
 * @param author who wrote it
 * @param specialTokens what special tokens in it are taken for; null for what the whole prompt's are. Those of the template
 *     are always meant
 */
public record Segment(String text, Author author, @Nullable SpecialTokens specialTokens) {
    /** Who wrote a stretch. */
    public enum Author {
        /** The template: its special tokens are meant. */
        TEMPLATE,
        /** The developer, who wrote the system message. */
        DEVELOPER,
        /** Who asks, or a file: the only text that may be refused. */
        USER,
        /** The model, which gave the answers of earlier turns. */
        MODEL
    }

    /** Takes no null but for the mode. */
    public Segment {
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(author, "author");
    }

    /**
     * @param text text of the template
     * @return the segment
     */
    public static Segment template(String text) {
        return new Segment(text, Author.TEMPLATE, null);
    }

    /** @return whether the template wrote it */
    public boolean template() {
        return author == Author.TEMPLATE;
    }
}
