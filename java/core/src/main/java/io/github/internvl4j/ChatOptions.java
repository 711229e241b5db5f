package io.github.internvl4j;

import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.host.Copyable;
import io.github.internvl4j.host.Members;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a conversation begins, and what holds for all its questions. Immutable: every setter returns a changed copy.
 *
 * <pre>{@code
 * model.chat(ChatOptions.defaults().system("Be brief.").specialTokens(SpecialTokens.LITERAL).whenFull(WhenFull.DROP_OLDEST))
 * }</pre>
 */
public final class ChatOptions {
    private static final ChatOptions DEFAULTS = new ChatOptions(new Fields());

    private static final class Fields extends Copyable<Fields> {
        private @Nullable String system;
        private boolean thinking;
        private List<Turn> history = List.of();
        private List<List<Image>> images = List.of();
        private @Nullable SpecialTokens specialTokens;
        private @Nullable GenerationConfig config;
        private WhenFull whenFull = WhenFull.FAIL;
        private String cacheSalt = "";
    }

    private final Fields fields;

    /** Checks them, and keeps its own copies of what is the caller's. */
    private ChatOptions(Fields fields) {
        this.fields = fields;
        if (thinking() && system() != null) {
            throw new PromptException(
                    "there is a system message, but thinking has one of its own, expected only one of the two");
        }
        fields.history = Options.copy(history(), "history");
        fields.images = Options.entries(images());
        Objects.requireNonNull(whenFull(), "whenFull");
        Objects.requireNonNull(cacheSalt(), "cacheSalt");
    }

    private ChatOptions with(Consumer<Fields> change) {
        Fields changed = fields.copy();
        change.accept(changed);
        return new ChatOptions(changed);
    }

    /** The template's own system message, no history, greedy answers of at most 1024 tokens, an error when the context is full. */
    public static ChatOptions defaults() {
        return DEFAULTS;
    }

    /**
     * With another system message; null for the template's own.
     *
     * @throws PromptException if the chat thinks, which has a system message of its own
     */
    public ChatOptions system(@Nullable String value) {
        return with(changed -> changed.system = value);
    }

    /**
     * In {@link Thinking} mode, or not.
     *
     * @throws PromptException if there is a system message
     */
    public ChatOptions thinking(boolean value) {
        return with(changed -> changed.thinking = value);
    }

    /** With turns that went before, the oldest first; with {@link #images}, where their questions have placeholders of some. */
    public ChatOptions history(List<Turn> value) {
        return with(changed -> changed.history = value);
    }

    /** With the history's images: an entry, of one image or several combined, for each placeholder. */
    public ChatOptions images(List<List<Image>> value) {
        return with(changed -> changed.images = value);
    }

    /**
     * With a mode for the texts of questions that tell none of their own; null for {@link SpecialTokens#PARSE}.
     *
     * @param value {@link SpecialTokens#LITERAL} for people one does not know
     */
    public ChatOptions specialTokens(@Nullable SpecialTokens value) {
        return with(changed -> changed.specialTokens = value);
    }

    /** With answers drawn so, where a question does not say how. */
    public ChatOptions config(GenerationConfig value) {
        Objects.requireNonNull(value, "config");
        return with(changed -> changed.config = value);
    }

    /** With something else done when the context is full. */
    public ChatOptions whenFull(WhenFull value) {
        return with(changed -> changed.whenFull = value);
    }

    /**
     * The system message, or null for the template's own. It is never refused; it is read in the chat's mode, or if that has none, in
     * the first turn's.
     */
    public @Nullable String system() {
        return fields.system;
    }

    /** Whether the chat is in {@link Thinking} mode, whose system message it then has. */
    public boolean thinking() {
        return fields.thinking;
    }

    /** The turns that went before, the oldest first; those that tell no mode of their own are read in the chat's. */
    public List<Turn> history() {
        return fields.history;
    }

    /** The image entries of the history, in order. */
    public List<List<Image>> images() {
        return fields.images;
    }

    /** What special tokens in the users' own texts are taken for; null for {@link SpecialTokens#PARSE}. */
    public @Nullable SpecialTokens specialTokens() {
        return fields.specialTokens;
    }

    /** How answers are drawn: as was set, or else by {@link GenerationConfig#thinking} where the chat thinks, or the defaults. */
    public GenerationConfig config() {
        if (fields.config != null) {
            return fields.config;
        }
        return thinking() ? GenerationConfig.thinking() : GenerationConfig.defaults();
    }

    /** What is done when the context is full. */
    public WhenFull whenFull() {
        return fields.whenFull;
    }

    /** With another salt for all that is asked; see {@link Prompt#cacheSalt(String)}. */
    public ChatOptions cacheSalt(String value) {
        return with(changed -> changed.cacheSalt = value);
    }

    /** See {@link Prompt#cacheSalt(String)}; empty for the common one. */
    public String cacheSalt() {
        return fields.cacheSalt;
    }

    private Members members() {
        return Members.of("system", fields.system)
                .and("thinking", fields.thinking)
                .and("history", fields.history)
                .and("images", fields.images)
                .and("specialTokens", fields.specialTokens)
                .and("config", config())
                .and("whenFull", fields.whenFull)
                .and("cacheSalt", fields.cacheSalt);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ChatOptions that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    @Override
    public String toString() {
        return "ChatOptions" + members();
    }
}
