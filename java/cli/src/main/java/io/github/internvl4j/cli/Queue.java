package io.github.internvl4j.cli;

import io.github.internvl4j.Prompt;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Images or a video that wait for the next question of a conversation. */
final class Queue {
    private final PromptOptions input;
    private final List<Image> images = new ArrayList<>();
    private @Nullable Video video;

    /** Begins with those of the command line. */
    Queue(PromptOptions input) {
        this.input = input;
        images.addAll(input.images());
        String file = input.video();
        video = file == null ? null : input.video(file);
    }

    void addImage(String file) {
        if (video != null) {
            throw new PromptException("a video waits for the next question already; ask, or /reset");
        }
        images.add(input.media().image(file));
    }

    void setVideo(String file) {
        if (!images.isEmpty()) {
            throw new PromptException("an image waits for the next question already; ask, or /reset");
        }
        video = input.video(file);
    }

    /** The question about what waits here, which stays until {@link #clear}. */
    Prompt prompt(String question) {
        InputRules rules = input.rules();
        return rules.of(
                video == null
                        ? PromptOptions.images(question, images, input.combine(), List.of(), rules.specialTokens())
                        : video.prompt(question, List.of(), rules.specialTokens()));
    }

    void clear() {
        images.clear();
        video = null;
    }
}
