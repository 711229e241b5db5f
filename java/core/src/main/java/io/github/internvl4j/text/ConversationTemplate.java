package io.github.internvl4j.text;

import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.error.UnsupportedModelException;
import java.util.ArrayList;
import java.util.List;

/**
 * How a conversation becomes one prompt: the template "Hermes-2" of InternVL's {@code conversation.py} and what
 * {@code InternVLChatModel.chat} does around it. Immutable.
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
 * <p>An empty answer or question of the history is rendered as the role alone, without {@code <|im_end|>}, as there.
 */
public final class ConversationTemplate {
    /** Marks the place of a picture in a question. */
    public static final String IMAGE = "<image>";
    /** Begins the rows of a picture entry. */
    public static final String IMAGE_START = "<img>";
    /** Stands for one row that the vision tower gives. */
    public static final String IMAGE_CONTEXT = "<IMG_CONTEXT>";
    /** Ends the rows of a picture entry. */
    public static final String IMAGE_END = "</img>";

    /** The template of InternVL-Chat-V1-2 and V1-2-Plus. */
    public static final ConversationTemplate HERMES_2 = new ConversationTemplate("Hermes-2",
            "你是由上海人工智能实验室联合商汤科技开发的书生多模态大模型，英文名叫InternVL, 是一个有用无害的人工智能助手。",
            "<|im_start|>system\n", "<|im_start|>user\n", "<|im_start|>assistant\n", "<|im_end|>");

    /** Far more than any context holds; it keeps a wrong number from filling the memory. */
    private static final int MAX_PICTURE_TOKENS = 1 << 20;

    private final String name;
    private final String defaultSystemMessage;
    private final String system;
    private final String user;
    private final String assistant;
    private final String stop;

    private ConversationTemplate(String name, String defaultSystemMessage, String system, String user, String assistant,
            String stop) {
        this.name = name;
        this.defaultSystemMessage = defaultSystemMessage;
        this.system = system;
        this.user = user;
        this.assistant = assistant;
        this.stop = stop;
    }

    /**
     * @param template the value of {@code template} in config.json
     * @return the template of that name
     * @throws UnsupportedModelException if there is none
     */
    public static ConversationTemplate forName(String template) {
        if (!template.equals(HERMES_2.name)) {
            throw new UnsupportedModelException("config.json: template is \"" + template
                    + "\"; only \"Hermes-2\" is implemented");
        }
        return HERMES_2;
    }

    /** @return the name in config.json */
    public String name() {
        return name;
    }

    /** @return the system message that is used if none is given */
    public String defaultSystemMessage() {
        return defaultSystemMessage;
    }

    /** @return the token that ends every message; the model stops with it */
    public String stop() {
        return stop;
    }

    /** The texts that must each be one token of the tokenizer. */
    List<String> tokens() {
        return List.of(stop, user.substring(0, user.indexOf('>') + 1), IMAGE_START, IMAGE_CONTEXT, IMAGE_END);
    }

    /**
     * Lays a conversation out.
     *
     * @param systemMessage the system message; {@link #defaultSystemMessage()} if none of one's own
     * @param history the rounds before, the oldest first
     * @param question the question
     * @param pictures one entry for each place of a picture, in order: how many pictures it combines (1 for one
     *     picture)
     * @param tokensPerPicture how many rows the vision tower gives for one picture
     * @return the prompt
     * @throws PromptException if the {@code <image>} places and the pictures differ in number, or there is nothing to
     *     ask
     */
    public RenderedPrompt render(String systemMessage, List<Round> history, String question, List<Integer> pictures,
            int tokensPerPicture) {
        return render(systemMessage, history, new Round(question, ""), pictures, tokensPerPicture);
    }

    /**
     * Lays a conversation out.
     *
     * @param systemMessage the system message; {@link #defaultSystemMessage()} if none of one's own
     * @param history the rounds before, the oldest first
     * @param asked the question, with its mode and its places; its answer is not looked at
     * @param pictures one entry for each place of a picture, in order: how many pictures it combines (1 for one
     *     picture)
     * @param tokensPerPicture how many rows the vision tower gives for one picture
     * @return the prompt
     * @throws PromptException if the {@code <image>} places and the pictures differ in number, or there is nothing to
     *     ask
     */
    public RenderedPrompt render(String systemMessage, List<Round> history, Round asked, List<Integer> pictures,
            int tokensPerPicture) {
        if (asked.question().isEmpty() && pictures.isEmpty()) {
            throw new PromptException("the question is empty and there is no picture; expected a question");
        }
        int pictureTokens = pictureTokens(pictures, tokensPerPicture);
        List<Round> rounds = placed(history, asked, pictures.size());
        Round last = rounds.get(history.size());
        Layout layout = new Layout(pictures, tokensPerPicture);
        layout.template(system);
        layout.add(new Segment(systemMessage, Segment.Author.DEVELOPER, null));
        layout.template(stop);
        for (Round round : rounds.subList(0, history.size())) {
            layout.template(user);
            layout.question(round);
            layout.template(round.question().isEmpty() ? "" : stop);
            layout.template(assistant);
            layout.add(new Segment(round.answer(), Segment.Author.MODEL, round.specialTokens()));
            layout.template(round.answer().isEmpty() ? "" : stop);
        }
        layout.template(user);
        layout.question(last);
        layout.template(stop);
        layout.template(assistant);
        return new RenderedPrompt(layout.segments, last.question(), pictureTokens);
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

    private static int pictureTokens(List<Integer> pictures, int tokensPerPicture) {
        if (tokensPerPicture < 1) {
            throw new PromptException("tokens per picture are " + tokensPerPicture + "; expected at least 1");
        }
        long total = 0;
        for (int i = 0; i < pictures.size(); i++) {
            if (pictures.get(i) < 1) {
                throw new PromptException("picture entry " + i + " combines " + pictures.get(i)
                        + " pictures; expected at least 1");
            }
            total += (long) pictures.get(i) * tokensPerPicture;
            if (total > MAX_PICTURE_TOKENS) {
                throw new PromptException("the pictures take more than " + MAX_PICTURE_TOKENS + " tokens");
            }
        }
        return (int) total;
    }

    /** The segments so far, those of the template joined. */
    private static final class Layout {
        private final List<Segment> segments = new ArrayList<>();
        private final List<Integer> pictures;
        private final int tokensPerPicture;
        private int nextPicture;

        Layout(List<Integer> pictures, int tokensPerPicture) {
            this.pictures = pictures;
            this.tokensPerPicture = tokensPerPicture;
        }

        void template(String text) {
            add(Segment.template(text));
        }

        void question(Round round) {
            String text = round.question();
            int from = 0;
            for (int at : round.imagePlaces()) {
                add(new Segment(text.substring(from, at), Segment.Author.USER, round.specialTokens()));
                int rows = pictures.get(nextPicture++) * tokensPerPicture;
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
