package io.github.internvl4j.cli;

import io.github.internvl4j.Prompt;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import io.github.internvl4j.video.VideoFrames;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A video to ask about.
 *
 * @param file its source
 * @param frames how many images stand for it
 * @param start of the stretch that is shown, in seconds; null for the video's start
 * @param end of the stretch; null for the video's end
 */
record Video(
        Media media,
        String file,
        int frames,
        @Nullable Double start,
        @Nullable Double end) {
    static final int DEFAULT_FRAMES = 8;

    /** Longer than any video, in seconds. */
    private static final double UNBOUNDED = 100_000;

    /**
     * The question with the frames' names before it, unless it or an earlier one says itself where they stand. Of literal texts only
     * earlier ones do, by the lines before them.
     */
    Prompt prompt(String question, List<Turn> history, SpecialTokens mode) {
        List<Image> images = sample();
        List<Turn> shown = History.shown(history, mode, images.size());
        boolean marked = mode == SpecialTokens.LITERAL
                ? shown.stream().anyMatch(turn -> !turn.imagePlaceholders().isEmpty())
                : marks(question) || shown.stream().anyMatch(turn -> marks(turn.question()));
        Prompt prompt = marked
                ? Prompt.of(question, images).tileLimits(Collections.nCopies(images.size(), 1))
                : Prompt.video(question, images);
        return prompt.history(shown).specialTokens(mode);
    }

    private static boolean marks(String question) {
        return question.contains(ConversationTemplate.IMAGE);
    }

    /** The video as images. */
    List<Image> sample() {
        return media.video(file, path -> {
            try (VideoFrames video = VideoFrames.open(path)) {
                return start == null && end == null
                        ? video.sample(frames)
                        : video.sample(frames, start == null ? 0 : start, end == null ? UNBOUNDED : end);
            }
        });
    }
}
