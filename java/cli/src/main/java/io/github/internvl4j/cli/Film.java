package io.github.internvl4j.cli;

import io.github.internvl4j.Prompt;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.Round;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.video.VideoFrames;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A film to ask about.
 *
 * @param file its source
 * @param frames how many pictures stand for it
 * @param start of the stretch that is shown, in seconds; null for the film's start
 * @param end of the stretch; null for the film's end
 */
record Film(Media media, String file, int frames, @Nullable Double start, @Nullable Double end) {
    static final int DEFAULT_FRAMES = 8;

    /** Longer than any film, in seconds. */
    private static final double UNBOUNDED = 100_000;

    /**
     * The question with the frames' names before it, unless it or an earlier one says itself where they stand, which no
     * literal text does.
     */
    Prompt prompt(String question, List<Round> history, SpecialTokens mode) {
        List<Image> pictures = sample();
        boolean marked = mode != SpecialTokens.LITERAL
                && (marks(question) || history.stream().anyMatch(round -> marks(round.question())));
        Prompt prompt = marked
                ? Prompt.of(question, pictures).tileLimits(Collections.nCopies(pictures.size(), 1))
                : Prompt.video(question, pictures);
        return prompt.history(history).specialTokens(mode);
    }

    private static boolean marks(String question) {
        return question.contains(ConversationTemplate.IMAGE);
    }

    /** The film as pictures. */
    List<Image> sample() {
        return media.film(file, path -> {
            try (VideoFrames film = VideoFrames.open(path)) {
                return start == null && end == null
                        ? film.sample(frames)
                        : film.sample(frames, start == null ? 0 : start, end == null ? UNBOUNDED : end);
            }
        });
    }
}
