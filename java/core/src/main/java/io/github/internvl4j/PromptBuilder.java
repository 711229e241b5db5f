package io.github.internvl4j;

import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link Prompt} of messages, one after the other and in any order of who speaks, as protocols of chats have them. The last
 * one is the user's. Not for several threads at once.
 *
 * <pre>{@code
 * Prompt prompt = PromptBuilder.of(SpecialTokens.LITERAL)
 *         .system("Be brief.")
 *         .user(Prompt.of("").placeholders(List.of()).and(image).and("\nWhat is it?"))
 *         .assistant("A square.")
 *         .user(Prompt.of("Of which colour?"))
 *         .prompt();
 * }</pre>
 */
public final class PromptBuilder {
    private final SpecialTokens mode;
    private final List<Turn> turns = new ArrayList<>();
    private final List<List<Image>> images = new ArrayList<>();
    private final List<Integer> tileLimits = new ArrayList<>();
    private @Nullable String system;
    private @Nullable Turn asked; // with no answer yet

    private PromptBuilder(SpecialTokens mode) {
        this.mode = Objects.requireNonNull(mode, "mode");
    }

    /** For messages that are all read in this mode. */
    public static PromptBuilder of(SpecialTokens mode) {
        return new PromptBuilder(mode);
    }

    /**
     * The parts of one message in the order that models know: images come before a text that is alone, else all stay where they stand.
     *
     * @param isText whether a part is a text
     */
    public static <T> List<T> usualOrder(List<T> parts, Predicate<? super T> isText) {
        Objects.requireNonNull(parts, "parts");
        List<T> texts =
                parts.stream().filter(Objects.requireNonNull(isText, "isText")).toList();
        return texts.size() > 1
                ? List.copyOf(parts)
                : Stream.concat(parts.stream().filter(isText.negate()), texts.stream())
                        .toList();
    }

    /** Adds a system message. The first message of all is the prompt's own, which takes the place of the template's. */
    public PromptBuilder system(String text) {
        Objects.requireNonNull(text, "text");
        if (system == null && asked == null && turns.isEmpty()) {
            system = text;
            return this;
        }
        goOn();
        turns.add(Turn.ofSystem(text));
        return this;
    }

    /** Adds an answer of the model's. */
    public PromptBuilder assistant(String text) {
        Objects.requireNonNull(text, "text");
        Turn question = asked;
        asked = null;
        turns.add(
                question == null
                        ? Turn.ofAnswer(text)
                        : Turn.of(question.question(), text).placeholders(question.placeholders()));
        return this;
    }

    /**
     * Adds a question of the user's.
     *
     * @param message its question, its images, their placeholders and tile limits count; where no placeholder is told, images have a line
     *     each before the question, unless {@code <image>} marks them
     */
    public PromptBuilder user(Prompt message) {
        Objects.requireNonNull(message, "message");
        tileLimits.addAll(message.limitOfEachImage());
        images.addAll(message.images());
        Turn question = Turn.ofQuestion(message.question()).placeholders(message.placeholders());
        goOn();
        asked = question.specialTokens(mode).laidOut(message.images().size()).specialTokens(null);
        return this;
    }

    /** To a message that is no answer. */
    private void goOn() {
        if (asked != null) {
            turns.add(asked);
            asked = null;
        }
    }

    /**
     * What is asked.
     *
     * @throws PromptException if the last message is not the user's
     */
    public Prompt prompt() {
        if (asked == null) {
            throw new PromptException("the messages end without a question; expected a last message of the user");
        }
        return Prompt.of(asked.question())
                .system(system)
                .history(turns)
                .images(images)
                .specialTokens(mode)
                .tileLimits(tileLimits)
                .placeholders(asked.placeholders());
    }
}
