package io.github.internvl4j.text;

import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.error.UnsupportedModelException;
import java.util.ArrayList;
import java.util.List;

/**
 * How a conversation becomes one prompt: the template "Hermes-2" of InternVL's {@code conversation.py} and what
 * {@code InternVLChatModel.chat} does around it. Immutable.
 *
 * <p>Places of pictures: {@code <image>} in the questions, those of the history first, marks where the pictures go, in
 * order. If there is no history and no {@code <image>} but there are pictures, an {@code <image>} line for each entry
 * is put before the question. In all other cases there must be as many {@code <image>} as entries. An {@code <image>}
 * in an answer or in the system message is plain text. (The original replaces the first {@code <image>} of the whole
 * prompt, whoever wrote it; that differs only if an answer or the system message has one before the last place of a
 * picture, and would put the picture into the answer there.)
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
        if (question.isEmpty() && pictures.isEmpty()) {
            throw new PromptException("the question is empty and there is no picture; expected a question");
        }
        int pictureTokens = pictureTokens(pictures, tokensPerPicture);
        String asked = question;
        if (history.isEmpty() && !question.contains(IMAGE)) {
            asked = (IMAGE + "\n").repeat(pictures.size()) + question;
        }
        int places = count(asked);
        for (Round round : history) {
            places += count(round.question());
        }
        if (places != pictures.size()) {
            throw new PromptException("the questions have " + places + " " + IMAGE + " places, but there are "
                    + pictures.size() + " picture entries; the two must be equal"
                    + (history.isEmpty() ? "" : " (all pictures of the conversation are given again in every round)"));
        }
        Layout layout = new Layout(pictures, tokensPerPicture);
        layout.template(system);
        layout.text(systemMessage);
        layout.template(stop);
        for (Round round : history) {
            layout.template(user);
            layout.question(round.question());
            layout.template(round.question().isEmpty() ? "" : stop);
            layout.template(assistant);
            layout.text(round.answer());
            layout.template(round.answer().isEmpty() ? "" : stop);
        }
        layout.template(user);
        layout.question(asked);
        layout.template(stop);
        layout.template(assistant);
        return new RenderedPrompt(layout.segments, asked, pictureTokens);
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

    private static int count(String question) {
        int count = 0;
        for (int at = question.indexOf(IMAGE); at >= 0; at = question.indexOf(IMAGE, at + IMAGE.length())) {
            count++;
        }
        return count;
    }

    /** The segments so far, neighbours of one kind joined. */
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

        void text(String text) {
            add(Segment.user(text));
        }

        void question(String question) {
            int from = 0;
            for (int at = question.indexOf(IMAGE); at >= 0; at = question.indexOf(IMAGE, from)) {
                text(question.substring(from, at));
                int rows = pictures.get(nextPicture++) * tokensPerPicture;
                template(IMAGE_START + IMAGE_CONTEXT.repeat(rows) + IMAGE_END);
                from = at + IMAGE.length();
            }
            text(question.substring(from));
        }

        private void add(Segment segment) {
            if (segment.text().isEmpty()) {
                return;
            }
            int last = segments.size() - 1;
            if (last >= 0 && segments.get(last).template() == segment.template()) {
                segments.set(last, new Segment(segments.get(last).text() + segment.text(), segment.template()));
            } else {
                segments.add(segment);
            }
        }
    }
}
