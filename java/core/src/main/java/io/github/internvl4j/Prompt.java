package io.github.internvl4j;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.host.Copyable;
import io.github.internvl4j.host.Members;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.Tiling;
import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What is asked: a question, the turns before it, and every image of them all. Immutable: every setter returns a
 * changed copy.
 *
 * <p>{@code <image>} in the history's questions and in the question marks the images' placeholders, in order. Without any,
 * and without history, each image entry gets a line of its own before the question. An entry of several images
 * ("combined", the card's first multi-image example) has one placeholder. Where there are images, there are as many placeholders; a
 * prompt without any image may hold {@code <image>} as text.
 *
 * <p>What people type whom one does not know is asked as {@link SpecialTokens#LITERAL}. There {@code <image>} is text, too, so
 * the images come in lines before the question, or where {@link #and} puts them:
 *
 * <pre>{@code
 * Prompt.of("Image 1: ").and(first).and("\nImage 2: ").and(second).and("\n" + typed).specialTokens(SpecialTokens.LITERAL)
 * }</pre>
 */
public final class Prompt {
    private static final class Fields extends Copyable<Fields> {
        private @Nullable String system;
        private List<Turn> history = List.of();
        private String question = "";
        private List<List<Image>> images = List.of();
        private @Nullable SpecialTokens specialTokens;
        private @Nullable List<Integer> placeholders;
        private @Nullable Integer maxTiles;
        private List<Integer> tileLimits = List.of();
        private boolean thinking;
        private String cacheSalt = "";
    }

    private static final Prompt EMPTY = new Prompt(new Fields());

    private final Fields fields;

    /** Checks the placeholders, the limits and the system message, and keeps its own copies of what is the caller's. */
    private Prompt(Fields fields) {
        this.fields = fields;
        Objects.requireNonNull(question(), "question");
        fields.history = Options.copy(history(), "history");
        fields.images = Options.entries(images());
        fields.placeholders =
                Turn.of(question(), "").placeholders(placeholders()).placeholders(); // checked there
        if (fields.maxTiles != null) {
            requireTiles(fields.maxTiles, 1, "maxTiles");
        }
        fields.tileLimits = limits(Options.copy(tileLimits(), "tileLimits"), imageCount());
        if (thinking() && system() != null) {
            throw new PromptException(
                    "there is a system message, but thinking has one of its own, expected only one of the two");
        }
        Objects.requireNonNull(cacheSalt(), "cacheSalt");
    }

    private Prompt with(Consumer<Fields> change) {
        Fields changed = fields.copy();
        change.accept(changed);
        return new Prompt(changed);
    }

    private static void requireTiles(int value, int least, String name) {
        Options.require(
                value >= least && value <= Tiling.LARGEST_MOST, name, value, least + " to " + Tiling.LARGEST_MOST);
    }

    private static List<Integer> limits(List<Integer> values, int images) {
        if (values.size() > images) {
            throw new PromptException(
                    "tileLimits has " + values.size() + " limits, but there are " + images + " images");
        }
        int told = 0;
        for (int i = 0; i < values.size(); i++) {
            requireTiles(values.get(i), 0, "tileLimits[" + i + "]");
            told = values.get(i) > 0 ? i + 1 : told;
        }
        return List.copyOf(values.subList(0, told));
    }

    /** A question about separate images, or about none. */
    public static Prompt of(String question, Image... images) {
        return of(question, Arrays.asList(images));
    }

    /** A question about separate images, or about none. */
    public static Prompt of(String question, List<Image> images) {
        List<List<Image>> entries =
                Options.copy(images, "images").stream().map(List::of).toList();
        return EMPTY.with(changed -> {
            changed.question = question;
            changed.images = entries;
        });
    }

    /** A question about several images at one placeholder. */
    public static Prompt combined(String question, Image... images) {
        return of(question).images(List.of(Arrays.asList(images)));
    }

    /**
     * A question about a video's frames, as the card asks it: {@code Frame1: <image>\n...FrameN: <image>\n} and the question, in
     * which {@code <image>} is text.
     */
    public static Prompt video(String question, List<Image> frames) {
        return of("").placeholders(List.of()).andVideo(frames).and(question);
    }

    /**
     * The question with a text behind it, in which {@code <image>} is text whatever the mode. The placeholders that the question has
     * so far, as its mode is now, are told from here on.
     */
    public Prompt and(String text) {
        Objects.requireNonNull(text, "text");
        Turn told = told();
        return with(changed -> {
            changed.question = told.question() + text;
            changed.placeholders = told.placeholders();
        });
    }

    /** The question with a placeholder behind it, for an image that comes after all others. */
    public Prompt and(Image image) {
        Objects.requireNonNull(image, "image");
        Turn told = told();
        List<List<Image>> entries = new ArrayList<>(images());
        entries.add(List.of(image));
        List<Integer> all = new ArrayList<>(told.imagePlaceholders());
        all.add(told.question().length());
        return with(changed -> {
            changed.question = told.question() + ConversationTemplate.IMAGE;
            changed.placeholders = all;
            changed.images = entries;
        });
    }

    /** The question with a video's frames behind it, which come after all other images: {@code Frame1: <image>\n...FrameN: <image>\n}. */
    public Prompt andVideo(List<Image> frames) {
        Prompt prompt = this;
        int number = 1;
        for (Image frame : Options.copy(frames, "frames")) {
            prompt = prompt.and("Frame" + number++ + ": ")
                    .and(frame)
                    .lastInOneTile()
                    .and("\n");
        }
        return prompt;
    }

    private Prompt lastInOneTile() {
        List<Integer> limits = limitOfEachImage();
        limits.set(limits.size() - 1, 1);
        return tileLimits(limits);
    }

    /** {@link #tileLimits()} of all images; a list of the caller's own. */
    List<Integer> limitOfEachImage() {
        List<Integer> limits = new ArrayList<>(tileLimits());
        limits.addAll(Collections.nCopies(imageCount() - limits.size(), 0));
        return limits;
    }

    /** With another system message; null for the template's own. */
    public Prompt system(@Nullable String value) {
        return with(changed -> changed.system = value);
    }

    /**
     * Asked in {@link Thinking} mode, or not.
     *
     * @throws PromptException if there is a system message
     */
    public Prompt thinking(boolean value) {
        return with(changed -> changed.thinking = value);
    }

    /** With other turns before the question, the oldest first; {@link #images} are then those of all turns. */
    public Prompt history(List<Turn> value) {
        return with(changed -> changed.history = value);
    }

    /** With other image entries: those of the history first, then the question's. None has a limit of its own then. */
    public Prompt images(List<List<Image>> value) {
        return with(changed -> {
            changed.images = value;
            changed.tileLimits = List.of();
        });
    }

    /** With another mode; null for {@link SpecialTokens#PARSE}, or for what a chat has as its own. */
    public Prompt specialTokens(@Nullable SpecialTokens value) {
        return with(changed -> changed.specialTokens = value);
    }

    /**
     * With the placeholders of the question's images told; null to tell none.
     *
     * @param value the index of each {@code <image>} of the question that is a placeholder; an empty list makes all of them text
     * @throws PromptException if there is no {@code <image>} at one of them, or they do not ascend
     */
    public Prompt placeholders(@Nullable List<Integer> value) {
        return with(changed -> changed.placeholders = value);
    }

    /**
     * With another limit of tiles for each image.
     *
     * @param value 1 to {@link Tiling#LARGEST_MOST}, or null for what the checkpoint says
     * @throws InvalidOptionException if it is out of its range
     */
    public Prompt maxTiles(@Nullable Integer value) {
        return with(changed -> changed.maxTiles = value);
    }

    /**
     * With limits of tiles for single images.
     *
     * @param value the limit of each image, 1 to {@link Tiling#LARGEST_MOST}, or 0 for none of its own, counted over all entries; images
     *     that it does not reach have none
     * @throws InvalidOptionException if one is out of its range
     * @throws PromptException if there are more than images
     */
    public Prompt tileLimits(List<Integer> value) {
        return with(changed -> changed.tileLimits = value);
    }

    /** The question as a turn that has no answer yet. */
    Turn asked(SpecialTokens mode) {
        return Turn.of(question(), "").specialTokens(mode).placeholders(placeholders());
    }

    /** What special tokens in the question are taken for, if there is another who may tell it. */
    SpecialTokens specialTokensOr(SpecialTokens otherwise) {
        return fields.specialTokens == null ? otherwise : fields.specialTokens;
    }

    private Turn told() {
        int earlier = history().stream()
                .mapToInt(turn -> turn.imagePlaceholders().size())
                .sum();
        return asked(specialTokensOr(SpecialTokens.PARSE)).laidOut(Math.max(0, images().size() - earlier));
    }

    /** How many images there are, in all entries. */
    private int imageCount() {
        return images().stream().mapToInt(List::size).sum();
    }

    /**
     * The most tiles of an image; 0 for what the checkpoint says.
     *
     * @param image its number among those of all entries
     */
    int mostTiles(int image) {
        int own = image < tileLimits().size() ? tileLimits().get(image) : 0;
        int all = fields.maxTiles == null ? 0 : fields.maxTiles;
        return own == 0 || all == 0 ? Math.max(own, all) : Math.min(own, all);
    }

    /** The system message, or null for the template's own; read as {@code specialTokens} says, but never refused. */
    public @Nullable String system() {
        return fields.system;
    }

    /** Earlier turns, the oldest first; those that tell no mode of their own are read as {@code specialTokens} says. */
    public List<Turn> history() {
        return fields.history;
    }

    /** What is asked now; empty only with an image. */
    public String question() {
        return fields.question;
    }

    /** The image entries of all turns, in order; an entry is one image, or several combined. */
    public List<List<Image>> images() {
        return fields.images;
    }

    /**
     * What special tokens in the user's own text are taken for; null for {@link SpecialTokens#PARSE}, or for what a chat has as
     * its own.
     */
    public @Nullable SpecialTokens specialTokens() {
        return fields.specialTokens;
    }

    /**
     * Where in the question images stand: the index of each {@code <image>} that is one's placeholder, ascending; every other
     * {@code <image>} is text. Null where the question tells no more than its text does.
     */
    public @Nullable List<Integer> placeholders() {
        return fields.placeholders;
    }

    /**
     * How many tiles an image is cut into at most, in place of the checkpoint's number; its thumbnail is one more, but with 1
     * there is none. Null for the checkpoint's. It says nothing where images are not cut.
     */
    public @Nullable Integer maxTiles() {
        return fields.maxTiles;
    }

    /** The same for single images, from the first of all entries, where it is less; 0 for none. A video's frames have 1. */
    public List<Integer> tileLimits() {
        return fields.tileLimits;
    }

    /** Whether it is asked in {@link Thinking} mode, whose system message it then has. */
    public boolean thinking() {
        return fields.thinking;
    }

    /**
     * With another salt. What the model computed for a prompt serves later ones that begin alike, and an image's encoding whoever asks
     * about the same image; both only among prompts of one salt. How long an answer takes could otherwise tell one client what another
     * has asked.
     */
    public Prompt cacheSalt(String value) {
        return with(changed -> changed.cacheSalt = value);
    }

    /** See {@link #cacheSalt(String)}; empty for the common one. */
    public String cacheSalt() {
        return fields.cacheSalt;
    }

    private Members members() {
        return Members.of("system", fields.system)
                .and("history", fields.history)
                .and("question", fields.question)
                .and("images", fields.images)
                .and("specialTokens", fields.specialTokens)
                .and("placeholders", fields.placeholders)
                .and("maxTiles", fields.maxTiles)
                .and("tileLimits", fields.tileLimits)
                .and("thinking", fields.thinking)
                .and("cacheSalt", fields.cacheSalt);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Prompt that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    @Override
    public String toString() {
        return "Prompt" + members();
    }
}
