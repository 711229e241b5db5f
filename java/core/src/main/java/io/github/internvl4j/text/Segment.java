package io.github.internvl4j.text;

/**
 * A stretch of a prompt, and who wrote it.
 *
 * @param text the stretch
 * @param template true for the template, whose special tokens are meant; false for the text of a user, a file or a
 *     model
 */
public record Segment(String text, boolean template) {
    /**
     * @param text text of the template
     * @return the segment
     */
    public static Segment template(String text) {
        return new Segment(text, true);
    }

    /**
     * @param text text of a user, a file or a model
     * @return the segment
     */
    public static Segment user(String text) {
        return new Segment(text, false);
    }
}
