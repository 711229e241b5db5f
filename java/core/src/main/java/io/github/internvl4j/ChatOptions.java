package io.github.internvl4j;

import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.host.Members;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a conversation begins, and what holds for all its questions. Immutable: every setter returns a changed copy.
 *
 * <pre>{@code
 * model.chat(ChatOptions.defaults().system("Be brief.").specialTokens(SpecialTokens.LITERAL).whenFull(WhenFull.DROP_OLDEST))
 * }</pre>
 */
public final class ChatOptions {
    private static final ChatOptions DEFAULTS =
            new ChatOptions(null, false, List.of(), List.of(), null, null, WhenFull.FAIL, "");

    private final @Nullable String system;
    private final boolean thinking;
    private final List<Turn> history;
    private final List<List<Image>> images;
    private final @Nullable SpecialTokens specialTokens;
    private final @Nullable GenerationConfig config;
    private final WhenFull whenFull;
    private final String cacheSalt;

    private ChatOptions(
            @Nullable String system, boolean thinking, List<Turn> history, List<List<Image>> images,
            @Nullable SpecialTokens specialTokens, @Nullable GenerationConfig config, WhenFull whenFull, String cacheSalt) {
        if (thinking && system != null) {
            throw new PromptException("there is a system message, but thinking has one of its own, expected only one of the two");
        }
        this.system = system;
        this.thinking = thinking;
        this.history = Options.copy(history, "history");
        this.images = Options.copy(images, "images").stream()
                .map(entry -> Options.copy(entry, "an entry of images"))
                .toList();
        this.specialTokens = specialTokens;
        this.config = config;
        this.whenFull = Objects.requireNonNull(whenFull, "whenFull");
        this.cacheSalt = Objects.requireNonNull(cacheSalt, "cacheSalt");
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
        return new ChatOptions(value, thinking, history, images, specialTokens, config, whenFull, cacheSalt);
    }

    /**
     * In {@link Thinking} mode, or not.
     *
     * @throws PromptException if there is a system message
     */
    public ChatOptions thinking(boolean value) {
        return new ChatOptions(system, value, history, images, specialTokens, config, whenFull, cacheSalt);
    }

    /** With turns that went before, the oldest first; with {@link #images}, where their questions have placeholders of some. */
    public ChatOptions history(List<Turn> value) {
        return new ChatOptions(system, thinking, value, images, specialTokens, config, whenFull, cacheSalt);
    }

    /** With the history's images: an entry, of one image or several combined, for each placeholder. */
    public ChatOptions images(List<List<Image>> value) {
        return new ChatOptions(system, thinking, history, value, specialTokens, config, whenFull, cacheSalt);
    }

    /**
     * With a mode for the texts of questions that tell none of their own; null for {@link SpecialTokens#PARSE}.
     *
     * @param value {@link SpecialTokens#LITERAL} for people one does not know
     */
    public ChatOptions specialTokens(@Nullable SpecialTokens value) {
        return new ChatOptions(system, thinking, history, images, value, config, whenFull, cacheSalt);
    }

    /** With answers drawn so, where a question does not say how. */
    public ChatOptions config(GenerationConfig value) {
        return new ChatOptions(system, thinking, history, images, specialTokens, Objects.requireNonNull(value, "config"), whenFull,
                cacheSalt);
    }

    /** With something else done when the context is full. */
    public ChatOptions whenFull(WhenFull value) {
        return new ChatOptions(system, thinking, history, images, specialTokens, config, value, cacheSalt);
    }

    /**
     * The system message, or null for the template's own. It is never refused; it is read in the chat's mode, or if that has none, in
     * the first turn's.
     */
    public @Nullable String system() {
        return system;
    }

    /** Whether the chat is in {@link Thinking} mode, whose system message it then has. */
    public boolean thinking() {
        return thinking;
    }

    /** The turns that went before, the oldest first; those that tell no mode of their own are read in the chat's. */
    public List<Turn> history() {
        return history;
    }

    /** The image entries of the history, in order. */
    public List<List<Image>> images() {
        return images;
    }

    /** What special tokens in the users' own texts are taken for; null for {@link SpecialTokens#PARSE}. */
    public @Nullable SpecialTokens specialTokens() {
        return specialTokens;
    }

    /** How answers are drawn: as was set, or else by {@link GenerationConfig#thinking} where the chat thinks, or the defaults. */
    public GenerationConfig config() {
        if (config != null) {
            return config;
        }
        return thinking ? GenerationConfig.thinking() : GenerationConfig.defaults();
    }

    /** What is done when the context is full. */
    public WhenFull whenFull() {
        return whenFull;
    }

    /** With another salt for all that is asked; see {@link Prompt#cacheSalt(String)}. */
    public ChatOptions cacheSalt(String value) {
        return new ChatOptions(system, thinking, history, images, specialTokens, config, whenFull, value);
    }

    /** See {@link Prompt#cacheSalt(String)}; empty for the common one. */
    public String cacheSalt() {
        return cacheSalt;
    }

    private Members members() {
        return Members
                .of("system", system)
                .and("thinking", thinking)
                .and("history", history)
                .and("images", images)
                .and("specialTokens", specialTokens)
                .and("config", config())
                .and("whenFull", whenFull)
                .and("cacheSalt", cacheSalt);
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
