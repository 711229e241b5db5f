package io.github.internvl4j.text;

import io.github.internvl4j.error.PromptException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A question that was asked and the answer that came, and how the two are read. Immutable: every setter returns a changed
 * copy.
 *
 * @param question the question, with its {@code <image>} places
 * @param answer the answer; empty for a round that has none
 * @param specialTokens what special tokens in the round's texts are taken for, whatever the rounds after it say; null for
 *     what the prompt says that the round stands in
 * @param places where in the question pictures stand: the index of each {@code <image>} that is one's place, ascending; every
 *     other {@code <image>} is text. Null for what {@link #imagePlaces} tells then
 */
public record Round(
        String question, String answer, @Nullable SpecialTokens specialTokens, @Nullable List<Integer> places) {
    /**
     * Checks the places.
     *
     * @throws PromptException if there is no {@code <image>} at one of the places, or they do not ascend
     */
    public Round {
        Objects.requireNonNull(question, "question");
        Objects.requireNonNull(answer, "answer");
        if (places != null) {
            int from = 0;
            for (Integer place : places) {
                Objects.requireNonNull(place, "an entry of places");
                if (place < from || !question.startsWith(ConversationTemplate.IMAGE, place)) {
                    throw new PromptException("places are " + places + ", expected ascending indices of "
                            + ConversationTemplate.IMAGE + " in the question, which has them at " + marks(question));
                }
                from = place + ConversationTemplate.IMAGE.length();
            }
            places = List.copyOf(places);
        }
    }

    /**
     * A round that is read as the prompt says that it stands in.
     *
     * @param question the question, with its {@code <image>} places
     * @param answer the answer; empty for a round that has none
     */
    public Round(String question, String answer) {
        this(question, answer, null, null);
    }

    /**
     * @param value the mode of this round, or null for the prompt's
     * @return a changed copy
     */
    public Round specialTokens(@Nullable SpecialTokens value) {
        return new Round(question, answer, value, places);
    }

    /**
     * @param value the indices of {@code <image>} in the question that are pictures' places, or null to tell none
     * @return a changed copy
     * @throws PromptException if there is no {@code <image>} at one of them, or they do not ascend
     */
    public Round places(@Nullable List<Integer> value) {
        return new Round(question, answer, specialTokens, value);
    }

    /**
     * Where pictures stand in the question: the {@link #places} where they are told. Otherwise every {@code <image>} is a
     * place, and in {@link SpecialTokens#LITERAL} none is.
     *
     * @return indices in the question, ascending
     */
    public List<Integer> imagePlaces() {
        if (places != null) {
            return places;
        }
        return specialTokens == SpecialTokens.LITERAL ? List.of() : marks(question);
    }

    /**
     * This round with its places told: those that it has; without any, a line for each picture entry is put before the
     * question. Where there are no pictures, {@code <image>} is text.
     *
     * @param entries how many picture entries came with the question
     * @return a round whose {@link #places} are not null
     */
    public Round placed(int entries) {
        if (places != null) {
            return this;
        }
        List<Integer> marked = entries == 0 ? List.of() : imagePlaces();
        if (!marked.isEmpty() || entries == 0) {
            return places(marked);
        }
        String lines = (ConversationTemplate.IMAGE + "\n").repeat(entries);
        return new Round(lines + question, answer, specialTokens, marks(lines));
    }

    private static List<Integer> marks(String text) {
        List<Integer> marks = new ArrayList<>();
        int from = 0;
        for (int at = text.indexOf(ConversationTemplate.IMAGE); at >= 0; at = text.indexOf(ConversationTemplate.IMAGE, from)) {
            marks.add(at);
            from = at + ConversationTemplate.IMAGE.length();
        }
        return marks;
    }
}
