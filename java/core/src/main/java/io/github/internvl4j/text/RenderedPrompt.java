package io.github.internvl4j.text;

import java.util.List;
import java.util.Objects;

/**
 * A conversation laid out by a {@link ConversationTemplate}.
 * A record: it is handed from one part of the library to the next.
 *
 * @param segments the prompt from its first character to its last
 * @param question the question as it was asked, with the {@code <image>} lines that were put before it; what belongs
 *     into the history of the next turn, there with the {@link Turn#placeholders} of {@link Turn#laidOut}
 * @param imageTokens how many {@code <IMG_CONTEXT>} the prompt has
 */
public record RenderedPrompt(List<Segment> segments, String question, int imageTokens) {
    /**
     * @param segments the prompt from its first character to its last
     * @param question the question as it was asked
     * @param imageTokens how many {@code <IMG_CONTEXT>} the prompt has
     */
    public RenderedPrompt {
        Objects.requireNonNull(segments, "segments");
        Objects.requireNonNull(question, "question");
        segments = List.copyOf(segments);
    }

    /** @return the whole prompt */
    public String text() {
        StringBuilder text = new StringBuilder();
        segments.forEach(segment -> text.append(segment.text()));
        return text.toString();
    }
}
