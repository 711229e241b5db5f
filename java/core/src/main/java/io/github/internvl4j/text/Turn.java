package io.github.internvl4j.text;

import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.host.Members;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A question that was asked and the answer that came, and how the two are read. Immutable: every setter returns a changed
 * copy.
 *
 * <p>Where a conversation does not go by turns, a turn can be one message of it alone: a question that was followed by another, an
 * answer behind another, or a word of the developer's in between.
 */
public final class Turn {
    /** What of a conversation a turn is. */
    enum Messages {
        BOTH,
        QUESTION,
        ANSWER,
        /** It stands where the answer does: nothing in it is a placeholder. */
        SYSTEM
    }

    private final Messages messages;
    private final String question;
    private final String answer;
    private final @Nullable SpecialTokens specialTokens;
    private final @Nullable List<Integer> placeholders;

    private Turn(
            Messages messages,
            String question,
            String answer,
            @Nullable SpecialTokens specialTokens,
            @Nullable List<Integer> placeholders) {
        Objects.requireNonNull(question, "question");
        Objects.requireNonNull(answer, "answer");
        if (placeholders != null) {
            int from = 0;
            for (Integer placeholder : placeholders) {
                Objects.requireNonNull(placeholder, "an entry of placeholders");
                if (placeholder < from || !question.startsWith(ConversationTemplate.IMAGE, placeholder)) {
                    throw new PromptException("placeholders are " + placeholders + ", expected ascending indices of "
                            + ConversationTemplate.IMAGE + " in the question, which has them at " + marks(question));
                }
                from = placeholder + ConversationTemplate.IMAGE.length();
            }
            placeholders = List.copyOf(placeholders);
        }
        this.messages = messages;
        this.question = question;
        this.answer = answer;
        this.specialTokens = specialTokens;
        this.placeholders = placeholders;
    }

    /**
     * A turn that is read as the prompt says that it stands in.
     *
     * @param question the question, with its {@code <image>} placeholders
     * @param answer the answer; empty for a turn that has none
     */
    public static Turn of(String question, String answer) {
        return new Turn(Messages.BOTH, question, answer, null, null);
    }

    /** A question that another message of the user's followed, and no answer. */
    public static Turn ofQuestion(String question) {
        return new Turn(Messages.QUESTION, question, "", null, null);
    }

    /** An answer that no question of its own came before. */
    public static Turn ofAnswer(String answer) {
        return new Turn(Messages.ANSWER, "", answer, null, List.of());
    }

    /** A system message in the middle of a conversation; the first one is the prompt's own. */
    public static Turn ofSystem(String message) {
        return new Turn(Messages.SYSTEM, "", message, null, List.of());
    }

    /** With another answer. */
    public Turn answer(String value) {
        return new Turn(messages, question, value, specialTokens, placeholders);
    }

    /** With a mode of its own, or null for the prompt's. */
    public Turn specialTokens(@Nullable SpecialTokens value) {
        return new Turn(messages, question, answer, value, placeholders);
    }

    /**
     * With its placeholders told.
     *
     * @param value the indices of {@code <image>} in the question that are images' placeholders, or null to tell none
     * @throws PromptException if there is no {@code <image>} at one of them, or they do not ascend
     */
    public Turn placeholders(@Nullable List<Integer> value) {
        return new Turn(messages, question, answer, specialTokens, value);
    }

    /**
     * Where images stand in the question: the {@link #placeholders} where they are told. Otherwise every {@code <image>} is a
     * placeholder, and in {@link SpecialTokens#LITERAL} none is.
     *
     * @return indices in the question, ascending
     */
    public List<Integer> imagePlaceholders() {
        if (placeholders != null) {
            return placeholders;
        }
        return specialTokens == SpecialTokens.LITERAL ? List.of() : marks(question);
    }

    /**
     * This turn with its placeholders told: those that it has; without any, a line for each image entry is put before the
     * question. Where there are no images, {@code <image>} is text.
     *
     * @param entries how many image entries came with the question
     * @return a turn whose {@link #placeholders} are not null
     */
    public Turn laidOut(int entries) {
        if (placeholders != null) {
            return this;
        }
        List<Integer> marked = entries == 0 ? List.of() : imagePlaceholders();
        if (!marked.isEmpty() || entries == 0) {
            return placeholders(marked);
        }
        String lines = (ConversationTemplate.IMAGE + "\n").repeat(entries);
        return new Turn(messages, lines + question, answer, specialTokens, marks(lines));
    }

    private static List<Integer> marks(String text) {
        List<Integer> marks = new ArrayList<>();
        int from = 0;
        for (int at = text.indexOf(ConversationTemplate.IMAGE);
                at >= 0;
                at = text.indexOf(ConversationTemplate.IMAGE, from)) {
            marks.add(at);
            from = at + ConversationTemplate.IMAGE.length();
        }
        return marks;
    }

    Messages messages() {
        return messages;
    }

    /** The question, with its {@code <image>} placeholders. */
    public String question() {
        return question;
    }

    /** The answer; empty for a turn that has none. */
    public String answer() {
        return answer;
    }

    /**
     * What special tokens in the turn's texts are taken for, whatever the turns after it say; null for what the prompt says that
     * the turn stands in.
     */
    public @Nullable SpecialTokens specialTokens() {
        return specialTokens;
    }

    /**
     * Where in the question images stand: the index of each {@code <image>} that is one's placeholder, ascending; every other
     * {@code <image>} is text. Null for what {@link #imagePlaceholders} tells then.
     */
    public @Nullable List<Integer> placeholders() {
        return placeholders;
    }

    private Members members() {
        return Members.of("messages", messages)
                .and("question", question)
                .and("answer", answer)
                .and("specialTokens", specialTokens)
                .and("placeholders", placeholders);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Turn that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    @Override
    public String toString() {
        return "Turn" + members();
    }
}
