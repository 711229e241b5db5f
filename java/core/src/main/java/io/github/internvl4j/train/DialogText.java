package io.github.internvl4j.train;

import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.ConversationTemplate.Wrapping;
import java.util.List;

/** The text of a dialog by a template's data. */
final class DialogText {
    private DialogText() {}

    /** A message as it stands in the text. */
    static String of(Wrapping around, String message) {
        return message.isEmpty() ? around.empty() : around.begin() + message + around.end();
    }

    /** What the first placeholder becomes: the tokens of an image's rows. */
    static String withImage(String text, int rows) {
        int at = text.indexOf(ConversationTemplate.IMAGE);
        return at < 0
                ? text
                : text.substring(0, at)
                        + ConversationTemplate.IMAGE_START
                        + ConversationTemplate.IMAGE_CONTEXT.repeat(rows)
                        + ConversationTemplate.IMAGE_END
                        + text.substring(at + ConversationTemplate.IMAGE.length());
    }

    /**
     * Users and the model in turn, a user first. What the model says before that is left out.
     *
     * @throws BadSampleException if they do not alternate
     */
    static List<Message> alternating(List<Message> dialog) throws BadSampleException {
        boolean answered = dialog.get(0).author() == Message.Author.MODEL;
        List<Message> turns = answered ? dialog.subList(1, dialog.size()) : dialog;
        for (int i = 0; i < turns.size(); i++) {
            Message.Author expected = i % 2 == 0 ? Message.Author.USER : Message.Author.MODEL;
            if (turns.get(i).author() != expected) {
                throw new BadSampleException("turns do not alternate: conversations[" + (i + (answered ? 1 : 0))
                        + "] is from another than " + (i % 2 == 0 ? "human" : "gpt"));
            }
        }
        return turns;
    }
}
