package io.github.internvl4j.train;

import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.Tokenizer;
import java.util.List;

/** From a dialog to token ids, and which of them are learnt. Special tokens in texts are taken for themselves, as in the original. */
interface DialogEncoder {
    /**
     * Encodes a dialog.
     *
     * @param dialog what is said; placeholders of images where the original's first rules have put them
     * @param rows how many rows each image has, in order
     */
    TokenizedDialog encode(List<Message> dialog, List<Integer> rows) throws BadSampleException;

    /**
     * The one for a template.
     *
     * @param maxLength tokens of a sample; what comes behind is cut off
     */
    static DialogEncoder of(ConversationTemplate template, Tokenizer tokenizer, int maxLength) {
        return template.name().equals("Hermes-2")
                ? new HermesEncoder(template, tokenizer, maxLength)
                : new AnswerEncoder(template, tokenizer, maxLength);
    }
}
