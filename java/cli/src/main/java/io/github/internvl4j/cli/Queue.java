package io.github.internvl4j.cli;

import io.github.internvl4j.Prompt;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Pictures or a film that wait for the next question of a conversation. */
final class Queue {
    private final PromptOptions input;
    private final List<Image> images = new ArrayList<>();
    private @Nullable Film film;

    /** Begins with those of the command line. */
    Queue(PromptOptions input) {
        this.input = input;
        images.addAll(input.images());
        String video = input.video();
        film = video == null ? null : input.film(video);
    }

    void addImage(String file) {
        if (film != null) {
            throw new PromptException("a film waits for the next question already; ask, or /reset");
        }
        images.add(input.media().image(file));
    }

    void setFilm(String file) {
        if (!images.isEmpty()) {
            throw new PromptException("a picture waits for the next question already; ask, or /reset");
        }
        film = input.film(file);
    }

    /** The question about what waits here, which stays until {@link #clear}. */
    Prompt prompt(String question) {
        InputRules rules = input.rules();
        return rules.of(film == null
                ? PromptOptions.pictures(question, images, input.combine())
                : film.prompt(question, List.of(), rules.specialTokens()));
    }

    void clear() {
        images.clear();
        film = null;
    }
}
