package io.github.internvl4j.text;

import java.util.List;

/**
 * A conversation laid out by a {@link ConversationTemplate}.
 *
 * @param segments the prompt from its first character to its last
 * @param question the question as it was asked, with the {@code <image>} lines that were put before it; what belongs
 *     into the history of the next turn, there with the {@link Turn#placeholders} of {@link Turn#withPlaceholders}
 * @param imageTokens how many {@code <IMG_CONTEXT>} the prompt has
 */
public record RenderedPrompt(List<Segment> segments, String question, int imageTokens) {
    /**
     * @param segments the prompt from its first character to its last
     * @param question the question as it was asked
     * @param imageTokens how many {@code <IMG_CONTEXT>} the prompt has
     */
    public RenderedPrompt {
        segments = List.copyOf(segments);
    }

    /** @return the whole prompt */
    public String text() {
        StringBuilder text = new StringBuilder();
        segments.forEach(segment -> text.append(segment.text()));
        return text.toString();
    }
}
