package io.github.internvl4j.text;

import io.github.internvl4j.error.PromptException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a conversation becomes one prompt: a template of InternVL's {@code conversation.py} in the style "MPT" and what
 * {@code InternVLChatModel.chat} does around it, or what a published chat template of transformers gives.
 * {@link ConversationTemplates} has those that are known. Immutable.
 *
 * <p>Places of pictures: {@link Round#imagePlaces} of the questions, those of the history first, are where the pictures go,
 * in order. If the question tells no places and has no {@code <image>} but there are pictures, an {@code <image>} line for each
 * entry is put before it; where there is a history, in {@link SpecialTokens#LITERAL} only, for the entries that the history has
 * no places for. In all other cases there must be as many places as entries. Without any picture {@code <image>} is plain
 * text, as it always is in an answer or in the system message. (The original replaces the first {@code <image>} of the whole
 * prompt, whoever wrote it; that differs only if an answer or the system message has one before the last place of a
 * picture, and would put the picture into the answer there. Where there are more places than pictures it leaves the last ones
 * as text, which here is refused: most often a picture was forgotten.)
 *
 * <p>Everything a template says of itself is data: the system message between its own beginning and the separator, then each
 * message behind its role and before the separator, then the assistant's role.
 *
 * @param name the value of {@code template} in config.json
 * @param defaultSystemMessage the system message that is used if none is given; null for no system turn at all
 * @param system begins the system turn
 * @param user begins a question
 * @param assistant begins an answer
 * @param separator ends every message, with white space perhaps around the token that the model stops with
 * @param endsEmpty whether an empty answer or question of the history ends with the separator, too, or is the role alone, as
 *     in {@code conversation.py}
 */
public record ConversationTemplate(String name, @Nullable String defaultSystemMessage, String system, String user,
        String assistant, String separator, boolean endsEmpty) {
    /** Marks the place of a picture in a question. */
    public static final String IMAGE = "<image>";
    /** Begins the rows of a picture entry. */
    public static final String IMAGE_START = "<img>";
    /** Stands for one row that the vision tower gives. */
    public static final String IMAGE_CONTEXT = "<IMG_CONTEXT>";
    /** Ends the rows of a picture entry. */
    public static final String IMAGE_END = "</img>";

    /** Far more than any context holds; it keeps a wrong number from filling the memory. */
    private static final int MAX_PICTURE_TOKENS = 1 << 20;

    /**
     * Checks the separator.
     *
     * @throws PromptException if there is no token in it
     */
    public ConversationTemplate {
        if (separator.isBlank()) {
            throw new PromptException("the separator of the template \"" + name + "\" is blank, expected a token that ends a message");
        }
    }

    /** @return the token that ends every message; the model stops with it */
    public String stop() {
        return separator.strip();
    }

    /** The texts that must each be one token of the tokenizer. */
    List<String> tokens() {
        return List.of(stop(), user.substring(0, user.indexOf('>') + 1), IMAGE_START, IMAGE_CONTEXT, IMAGE_END);
    }

    /**
     * Lays a conversation out.
     *
     * @param systemMessage the system message, empty for an empty one; null for {@link #defaultSystemMessage()}
     * @param history the rounds before, the oldest first
     * @param question the question
     * @param tiles one entry for each place of a picture, in order: how many tiles its picture has, or those that it combines
     *     have together, with thumbnails: 1 for a picture that is not cut
     * @param tokensPerTile how many rows the vision tower gives for one tile
     * @return the prompt
     * @throws PromptException if the {@code <image>} places and the pictures differ in number, or there is nothing to
     *     ask
     */
    public RenderedPrompt render(@Nullable String systemMessage, List<Round> history, String question, List<Integer> tiles,
            int tokensPerTile) {
        return render(systemMessage, history, new Round(question, ""), tiles, tokensPerTile);
    }

    /**
     * Lays a conversation out.
     *
     * @param systemMessage the system message, empty for an empty one; null for {@link #defaultSystemMessage()}
     * @param history the rounds before, the oldest first
     * @param asked the question, with its mode and its places; its answer is not looked at
     * @param tiles one entry for each place of a picture, in order: how many tiles its picture has, or those that it combines
     *     have together, with thumbnails: 1 for a picture that is not cut
     * @param tokensPerTile how many rows the vision tower gives for one tile
     * @return the prompt
     * @throws PromptException if the {@code <image>} places and the pictures differ in number, or there is nothing to
     *     ask
     */
    public RenderedPrompt render(@Nullable String systemMessage, List<Round> history, Round asked, List<Integer> tiles,
            int tokensPerTile) {
        if (asked.question().isEmpty() && tiles.isEmpty()) {
            throw new PromptException("the question is empty and there is no picture; expected a question");
        }
        int pictureTokens = pictureTokens(tiles, tokensPerTile);
        List<Round> rounds = placed(history, asked, tiles.size());
        Round last = rounds.get(history.size());
        Layout layout = new Layout(tiles, tokensPerTile);
        String message = systemMessage == null ? defaultSystemMessage : systemMessage;
        if (message != null) {
            layout.template(system);
            layout.add(new Segment(message, Segment.Author.DEVELOPER, null));
            layout.template(separator);
        }
        for (Round round : rounds.subList(0, history.size())) {
            layout.template(user);
            layout.question(round);
            layout.template(end(round.question()));
            layout.template(assistant);
            layout.add(new Segment(round.answer(), Segment.Author.MODEL, round.specialTokens()));
            layout.template(end(round.answer()));
        }
        layout.template(user);
        layout.question(last);
        layout.template(separator);
        layout.template(assistant);
        return new RenderedPrompt(layout.segments, last.question(), pictureTokens);
    }

    private String end(String message) {
        return message.isEmpty() && !endsEmpty ? "" : separator;
    }

    /** All rounds, what is asked last, with their places told, as many as there are picture entries. */
    private static List<Round> placed(List<Round> history, Round asked, int entries) {
        List<Round> rounds = new ArrayList<>();
        int places = 0;
        for (Round round : history) {
            Round told = entries == 0 ? round.placed(0) : round.places(round.imagePlaces());
            places += told.imagePlaces().size();
            rounds.add(told);
        }
        boolean maySayNothing = history.isEmpty() || asked.specialTokens() == SpecialTokens.LITERAL || entries == 0;
        Round last = maySayNothing ? asked.placed(Math.max(0, entries - places)) : asked.places(asked.imagePlaces());
        places += last.imagePlaces().size();
        if (places != entries) {
            throw new PromptException("the questions have " + places + " " + IMAGE + " places, but there are "
                    + entries + " picture entries; the two must be equal"
                    + (history.isEmpty() ? "" : " (all pictures of the conversation are given again in every round)"));
        }
        rounds.add(last);
        return rounds;
    }

    private static int pictureTokens(List<Integer> tiles, int tokensPerTile) {
        if (tokensPerTile < 1) {
            throw new PromptException("tokens per tile are " + tokensPerTile + "; expected at least 1");
        }
        long total = 0;
        for (int i = 0; i < tiles.size(); i++) {
            if (tiles.get(i) < 1) {
                throw new PromptException("picture entry " + i + " has " + tiles.get(i)
                        + " tiles; expected at least 1");
            }
            total += (long) tiles.get(i) * tokensPerTile;
            if (total > MAX_PICTURE_TOKENS) {
                throw new PromptException("the pictures take more than " + MAX_PICTURE_TOKENS + " tokens");
            }
        }
        return (int) total;
    }

    /** The segments so far, those of the template joined. */
    private static final class Layout {
        private final List<Segment> segments = new ArrayList<>();
        private final List<Integer> tiles;
        private final int tokensPerTile;
        private int nextPicture;

        Layout(List<Integer> tiles, int tokensPerTile) {
            this.tiles = tiles;
            this.tokensPerTile = tokensPerTile;
        }

        void template(String text) {
            add(Segment.template(text));
        }

        void question(Round round) {
            String text = round.question();
            int from = 0;
            for (int at : round.imagePlaces()) {
                add(new Segment(text.substring(from, at), Segment.Author.USER, round.specialTokens()));
                int rows = tiles.get(nextPicture++) * tokensPerTile;
                template(IMAGE_START + IMAGE_CONTEXT.repeat(rows) + IMAGE_END);
                from = at + IMAGE.length();
            }
            add(new Segment(text.substring(from), Segment.Author.USER, round.specialTokens()));
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
}
