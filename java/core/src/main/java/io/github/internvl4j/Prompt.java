package io.github.internvl4j;

import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.Round;
import io.github.internvl4j.text.SpecialTokens;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is asked: a question, the rounds before it, and every picture of them all. Immutable: every setter returns a
 * changed copy.
 *
 * <p>{@code <image>} in the history's questions and in the question marks the pictures' places, in order. Without any,
 * and without history, each picture entry gets a line of its own before the question. An entry of several pictures
 * ("combined", the card's first multi-image example) has one place.
 *
 * @param system the system message, or null for the template's own
 * @param history earlier rounds
 * @param question what is asked now
 * @param pictures the picture entries of all rounds, in order; an entry is one picture, or several combined
 * @param specialTokens what special tokens in the user's own text are taken for
 */
public record Prompt(
        @Nullable String system,
        List<Round> history,
        String question,
        List<List<Image>> pictures,
        SpecialTokens specialTokens) {
    public Prompt {
        Objects.requireNonNull(question, "question");
        Objects.requireNonNull(specialTokens, "specialTokens");
        history = List.copyOf(history);
        pictures = pictures.stream().map(List::copyOf).toList();
    }

    /** A question about separate pictures, or about none. */
    public static Prompt of(String question, Image... pictures) {
        return of(question, List.of(pictures));
    }

    /** A question about separate pictures, or about none. */
    public static Prompt of(String question, List<Image> pictures) {
        return new Prompt(null, List.of(), question, pictures.stream().map(List::of).toList(), SpecialTokens.PARSE);
    }

    /** A question about several pictures in one place. */
    public static Prompt combined(String question, Image... pictures) {
        return of(question).pictures(List.of(List.of(pictures)));
    }

    /** A question about a film's frames, as the card asks it: {@code Frame1: <image>\n...FrameN: <image>\n}. */
    public static Prompt video(String question, List<Image> frames) {
        StringBuilder text = new StringBuilder();
        for (int i = 1; i <= frames.size(); i++) {
            text.append("Frame").append(i).append(": <image>\n");
        }
        return of(text + question, frames);
    }

    public Prompt system(@Nullable String value) {
        return new Prompt(value, history, question, pictures, specialTokens);
    }

    public Prompt history(List<Round> value) {
        return new Prompt(system, value, question, pictures, specialTokens);
    }

    public Prompt pictures(List<List<Image>> value) {
        return new Prompt(system, history, question, value, specialTokens);
    }

    public Prompt specialTokens(SpecialTokens value) {
        return new Prompt(system, history, question, pictures, value);
    }

    /** The question with a line for each picture entry before it, unless it marks their places itself. */
    String questionWithPlaces() {
        boolean marked = question.contains(ConversationTemplate.IMAGE);
        return marked ? question : (ConversationTemplate.IMAGE + "\n").repeat(pictures.size()) + question;
    }

    /** All pictures of all entries, in order. */
    List<Image> images() {
        List<Image> all = new ArrayList<>();
        pictures.forEach(all::addAll);
        return all;
    }

    /** Pictures in each entry: the original's num_patches_list. */
    List<Integer> picturesInEntries() {
        return pictures.stream().map(List::size).toList();
    }
}
