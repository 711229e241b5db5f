package io.github.internvl4j.text;

import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.host.Members;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a conversation becomes one prompt: a template of InternVL's {@code conversation.py} and what
 * {@code InternVLChatModel.chat} does around it, or what a published chat template of transformers gives.
 * {@link ConversationTemplates} has those that are known. Immutable.
 *
 * <p>Placeholders of images: {@link Turn#imagePlaceholders} of the questions, those of the history first, are where the images go,
 * in order. If the question tells no placeholders and has no {@code <image>} but there are images, an {@code <image>} line for each
 * entry is put before it; where there is a history, in {@link SpecialTokens#LITERAL} only, for the entries that the history has
 * no placeholders for. In all other cases there must be as many placeholders as entries. Without any image {@code <image>} is plain
 * text, as it always is in an answer or in the system message. (The original replaces the first {@code <image>} of the whole
 * prompt, whoever wrote it; that differs only if an answer or the system message has one before the last placeholder of an
 * image, and would put the image into the answer there. Where there are more placeholders than images it leaves the last ones
 * as text, which here is refused: most often an image was forgotten.)
 *
 * <p>Everything a template says of itself is data: the system message, then each message of the turns between what begins and what
 * ends a turn of its author, then what asks the model for its turn.
 */
public final class ConversationTemplate {
    /**
     * How one author's messages stand in the prompt.
     * A record: two ends, with and without a text between them.
     *
     * @param begin before a message
     * @param end behind it
     * @param empty in place of both where the message is empty
     */
    public record Wrapping(String begin, String end, String empty) {
        /** Nothing may be null. */
        public Wrapping {
            Objects.requireNonNull(begin, "begin");
            Objects.requireNonNull(end, "end");
            Objects.requireNonNull(empty, "empty");
        }

        /**
         * An empty message is one like any other.
         *
         * @param begin before a message
         * @param end behind it
         * @return what stands around it
         */
        public static Wrapping of(String begin, String end) {
            Objects.requireNonNull(begin, "begin");
            Objects.requireNonNull(end, "end");
            return new Wrapping(begin, end, begin + end);
        }
    }

    /** Marks the placeholder of an image in a question. */
    public static final String IMAGE = "<image>";
    /** Begins the rows of an image entry. */
    public static final String IMAGE_START = "<img>";
    /** Stands for one row that the vision tower gives. */
    public static final String IMAGE_CONTEXT = "<IMG_CONTEXT>";
    /** Ends the rows of an image entry. */
    public static final String IMAGE_END = "</img>";

    /** Far more than any context holds; it keeps a wrong number from filling the memory. */
    private static final int MAX_IMAGE_TOKENS = 1 << 20;

    private final String name;
    private final @Nullable String defaultSystemMessage;
    private final Wrapping system;
    private final Wrapping user;
    private final Wrapping assistant;
    private final String opening;
    private final String stop;
    private final List<String> marks;

    /**
     * Checks the stop token.
     *
     * @throws PromptException if it is blank, or has white space around it
     */
    ConversationTemplate(
            String name,
            @Nullable String defaultSystemMessage,
            Wrapping system,
            Wrapping user,
            Wrapping assistant,
            String opening,
            String stop,
            List<String> marks) {
        if (stop.isBlank() || !stop.equals(stop.strip())) {
            throw new PromptException("the stop token of the template \"" + name + "\" is \"" + stop
                    + "\", expected a token's text without white space around it");
        }
        this.name = name;
        this.defaultSystemMessage = defaultSystemMessage;
        this.system = system;
        this.user = user;
        this.assistant = assistant;
        this.opening = opening;
        this.stop = stop;
        this.marks = List.copyOf(marks);
    }

    /** The texts that must each be one token of the tokenizer. */
    List<String> tokens() {
        List<String> all = new ArrayList<>(List.of(stop, IMAGE_START, IMAGE_CONTEXT, IMAGE_END));
        all.addAll(marks);
        return all;
    }

    /**
     * Lays a conversation out.
     *
     * @param systemMessage the system message, empty for an empty one; null for {@link #defaultSystemMessage()}
     * @param history the turns before, the oldest first
     * @param question the question
     * @param tiles one entry for each placeholder of an image, in order: how many tiles its image has, or those that it combines
     *     have together, with thumbnails: 1 for an image that is not cut
     * @param tokensPerTile how many rows the vision tower gives for one tile
     * @return the prompt
     * @throws PromptException if the {@code <image>} placeholders and the images differ in number, or there is nothing to
     *     ask
     */
    public RenderedPrompt render(
            @Nullable String systemMessage,
            List<Turn> history,
            String question,
            List<Integer> tiles,
            int tokensPerTile) {
        return render(systemMessage, history, Turn.of(question, ""), tiles, tokensPerTile);
    }

    /**
     * Lays a conversation out.
     *
     * @param systemMessage the system message, empty for an empty one; null for {@link #defaultSystemMessage()}
     * @param history the turns before, the oldest first
     * @param asked the question, with its mode and its placeholders; its answer is not looked at
     * @param tiles one entry for each placeholder of an image, in order: how many tiles its image has, or those that it combines
     *     have together, with thumbnails: 1 for an image that is not cut
     * @param tokensPerTile how many rows the vision tower gives for one tile
     * @return the prompt
     * @throws PromptException if the {@code <image>} placeholders and the images differ in number, or there is nothing to
     *     ask
     */
    public RenderedPrompt render(
            @Nullable String systemMessage, List<Turn> history, Turn asked, List<Integer> tiles, int tokensPerTile) {
        Objects.requireNonNull(history, "history");
        Objects.requireNonNull(asked, "asked");
        Objects.requireNonNull(tiles, "tiles");
        if (asked.question().isEmpty() && tiles.isEmpty()) {
            throw new PromptException("the question is empty and there is no image; expected a question");
        }
        int imageTokens = imageTokens(tiles, tokensPerTile);
        List<Turn> turns = laidOut(history, asked, tiles.size());
        Turn last = turns.get(history.size());
        Layout layout = new Layout(tiles, tokensPerTile);
        String message = systemMessage == null ? defaultSystemMessage : systemMessage;
        if (message != null) {
            layout.turn(system, message, () -> layout.add(new Segment(message, Segment.Author.DEVELOPER, null)));
        }
        for (Turn turn : turns.subList(0, history.size())) {
            earlier(turn, layout);
        }
        layout.turn(user, last.question(), () -> layout.question(last));
        layout.template(opening);
        return new RenderedPrompt(layout.segments, last.question(), imageTokens);
    }

    private void earlier(Turn turn, Layout layout) {
        Turn.Messages messages = turn.messages();
        String told = turn.answer();
        if (messages == Turn.Messages.BOTH || messages == Turn.Messages.QUESTION) {
            layout.turn(user, turn.question(), () -> layout.question(turn));
        }
        if (messages == Turn.Messages.BOTH || messages == Turn.Messages.ANSWER) {
            layout.turn(
                    assistant, told, () -> layout.add(new Segment(told, Segment.Author.MODEL, turn.specialTokens())));
        }
        if (messages == Turn.Messages.SYSTEM) {
            layout.turn(
                    system, told, () -> layout.add(new Segment(told, Segment.Author.DEVELOPER, turn.specialTokens())));
        }
    }

    /** All turns, what is asked last, with their placeholders told, as many as there are image entries. */
    private static List<Turn> laidOut(List<Turn> history, Turn asked, int entries) {
        List<Turn> turns = new ArrayList<>();
        int placeholders = 0;
        for (Turn turn : history) {
            Turn told = entries == 0 ? turn.laidOut(0) : turn.placeholders(turn.imagePlaceholders());
            placeholders += told.imagePlaceholders().size();
            turns.add(told);
        }
        boolean maySayNothing = history.isEmpty() || asked.specialTokens() == SpecialTokens.LITERAL || entries == 0;
        Turn last = maySayNothing
                ? asked.laidOut(Math.max(0, entries - placeholders))
                : asked.placeholders(asked.imagePlaceholders());
        placeholders += last.imagePlaceholders().size();
        if (placeholders != entries) {
            throw new PromptException("the questions have " + placeholders + " " + IMAGE
                    + " placeholders, but there are "
                    + entries + " image entries; the two must be equal"
                    + (history.isEmpty() ? "" : " (all images of the conversation are given again in every turn)"));
        }
        turns.add(last);
        return turns;
    }

    private static int imageTokens(List<Integer> tiles, int tokensPerTile) {
        if (tokensPerTile < 1) {
            throw new PromptException("tokens per tile are " + tokensPerTile + "; expected at least 1");
        }
        long total = 0;
        for (int i = 0; i < tiles.size(); i++) {
            if (tiles.get(i) < 1) {
                throw new PromptException("image entry " + i + " has " + tiles.get(i) + " tiles; expected at least 1");
            }
            total += (long) tiles.get(i) * tokensPerTile;
            if (total > MAX_IMAGE_TOKENS) {
                throw new PromptException("the images take more than " + MAX_IMAGE_TOKENS + " tokens");
            }
        }
        return (int) total;
    }

    /** The segments so far, those of the template joined. */
    private static final class Layout {
        private final List<Segment> segments = new ArrayList<>();
        private final List<Integer> tiles;
        private final int tokensPerTile;
        private int nextImage;

        Layout(List<Integer> tiles, int tokensPerTile) {
            this.tiles = tiles;
            this.tokensPerTile = tokensPerTile;
        }

        void template(String text) {
            add(Segment.template(text));
        }

        void turn(Wrapping turn, String message, Runnable content) {
            if (message.isEmpty()) {
                template(turn.empty());
                return;
            }
            template(turn.begin());
            content.run();
            template(turn.end());
        }

        void question(Turn turn) {
            String text = turn.question();
            int from = 0;
            for (int at : turn.imagePlaceholders()) {
                add(new Segment(text.substring(from, at), Segment.Author.USER, turn.specialTokens()));
                int rows = tiles.get(nextImage++) * tokensPerTile;
                template(IMAGE_START + IMAGE_CONTEXT.repeat(rows) + IMAGE_END);
                from = at + IMAGE.length();
            }
            add(new Segment(text.substring(from), Segment.Author.USER, turn.specialTokens()));
        }

        void add(Segment segment) {
            if (segment.text().isEmpty()) {
                return;
            }
            int last = segments.size() - 1;
            if (last >= 0 && segments.get(last).template() && segment.template()) {
                segments.set(last, Segment.template(segments.get(last).text() + segment.text()));
            } else {
                segments.add(segment);
            }
        }
    }

    /** The value of {@code template} in config.json. */
    public String name() {
        return name;
    }

    /** The system message that is used if none is given; null for no system turn at all. */
    public @Nullable String defaultSystemMessage() {
        return defaultSystemMessage;
    }

    /** How the system message stands in the prompt. */
    public Wrapping system() {
        return system;
    }

    /** How a question does. */
    public Wrapping user() {
        return user;
    }

    /** How an answer of the history does. */
    public Wrapping assistant() {
        return assistant;
    }

    /** Ends the prompt: the model goes on from it. */
    public String opening() {
        return opening;
    }

    /** The token that ends an answer. */
    public String stop() {
        return stop;
    }

    /** Other texts of the template that must each be one token of the tokenizer. */
    public List<String> marks() {
        return marks;
    }

    private Members members() {
        return Members.of("name", name)
                .and("defaultSystemMessage", defaultSystemMessage)
                .and("system", system)
                .and("user", user)
                .and("assistant", assistant)
                .and("opening", opening)
                .and("stop", stop)
                .and("marks", marks);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ConversationTemplate that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    @Override
    public String toString() {
        return "ConversationTemplate" + members();
    }
}
