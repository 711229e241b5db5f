package io.github.internvl4j.text;

import java.util.Objects;

/**
 * Parts an answer's text, while it comes, into what the model thinks and what it answers: what stands between {@code <think>} and
 * {@code </think>}, which belong to neither, and all else. Either is without white space around it. A mark may come in several
 * chunks. Thinking that never ends is thinking to the end of the text; a {@code </think>} that nothing began is text. For one
 * answer and one thread.
 */
public final class ThinkingStream {
    /** Begins thinking. */
    public static final String BEGIN = "<think>";
    /** Ends thinking. */
    public static final String END = "</think>";

    private final TrimmedText thinking = new TrimmedText();
    private final TrimmedText text = new TrimmedText();
    private final StringBuilder waiting = new StringBuilder();
    private boolean inside;

    /** Of an answer that has not begun. */
    public ThinkingStream() {}

    /**
     * What has become certain of both; either may be empty. A record: there are these two.
     *
     * @param thinking of the thinking
     * @param text of the answer
     */
    public record Parts(String thinking, String text) {
        /** Nothing may be null. */
        public Parts {
            Objects.requireNonNull(thinking, "thinking");
            Objects.requireNonNull(text, "text");
        }

        private Parts with(Parts more) {
            return new Parts(thinking + more.thinking, text + more.text);
        }
    }

    /**
     * Takes the next chunk of the whole text.
     *
     * @param more the chunk, possibly empty
     * @return what has become certain
     */
    public Parts accept(String more) {
        Objects.requireNonNull(more, "more");
        waiting.append(more);
        Parts parts = new Parts("", "");
        for (int at = waiting.indexOf(mark()); at >= 0; at = waiting.indexOf(mark())) {
            parts = parts.with(pass(at));
            waiting.delete(0, mark().length());
            inside = !inside;
        }
        return parts.with(pass(waiting.length() - beginning()));
    }

    /**
     * Ends the answer: what looked like the beginning of a mark is none.
     *
     * @return what was waiting
     */
    public Parts finish() {
        return pass(waiting.length());
    }

    /** @return the thinking so far */
    public String thinking() {
        return thinking.toString();
    }

    /** @return the answer so far */
    public String text() {
        return text.toString();
    }

    private String mark() {
        return inside ? END : BEGIN;
    }

    private Parts pass(int length) {
        String certain = waiting.substring(0, length);
        waiting.delete(0, length);
        return inside ? new Parts(thinking.accept(certain), "") : new Parts("", text.accept(certain));
    }

    /** How many characters at the end may be the beginning of the next mark. */
    private int beginning() {
        String mark = mark();
        for (int length = Math.min(mark.length() - 1, waiting.length()); length > 0; length--) {
            if (mark.startsWith(waiting.substring(waiting.length() - length))) {
                return length;
            }
        }
        return 0;
    }
}
