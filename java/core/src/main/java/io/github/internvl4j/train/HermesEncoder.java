package io.github.internvl4j.train;

import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What the original's {@code preprocess_mpt} makes of a dialog for the template Hermes-2, token for token, with its quirks:
 * <ul>
 *   <li>An image takes the first {@code <image>} of the whole text, whoever wrote it.
 *   <li>The text is cut at every {@code <|im_end|>}, also one that somebody typed; system message, question and answer are the first turn, a
 *       question and an answer each further one. Of a turn, the tokens up to {@code <|im_start|>assistant\n} are not learnt, the others are,
 *       and so is the token behind it. A turn that has that mark not once ends the walk.
 *   <li>Where the walk does not end at the last token of a dialog that was not cut, nothing of it is learnt: an empty answer, a question
 *       without one, a stop token inside of one.
 * </ul>
 */
final class HermesEncoder implements DialogEncoder {
    private final ConversationTemplate template;
    private final Tokenizer tokenizer;
    private final int maxLength;

    HermesEncoder(ConversationTemplate template, Tokenizer tokenizer, int maxLength) {
        this.template = template;
        this.tokenizer = tokenizer;
        this.maxLength = maxLength;
    }

    @Override
    public TokenizedDialog encode(List<Message> dialog, List<Integer> rows) throws BadSampleException {
        String text = text(DialogText.alternating(dialog));
        for (int image : rows) {
            text = DialogText.withImage(text, image);
        }
        int[] whole = tokenizer.encode(text);
        int[] ids = Arrays.copyOf(whole, Math.min(whole.length, maxLength));
        return new TokenizedDialog(ids, labels(text, ids));
    }

    private String text(List<Message> dialog) {
        StringBuilder text = new StringBuilder();
        String system = template.defaultSystemMessage();
        text.append(DialogText.of(template.system(), system == null ? "" : system));
        for (Message message : dialog) {
            boolean asks = message.author() == Message.Author.USER;
            text.append(DialogText.of(asks ? template.user() : template.assistant(), message.text()));
        }
        return text.toString();
    }

    private int[] labels(String text, int[] ids) {
        int[] labels = ids.clone();
        int at = 0;
        for (String turn : turns(text)) {
            String mark = template.stop() + template.opening();
            String[] parts = turn.split(Pattern.quote(mark), -1);
            if (parts.length != 2) {
                break;
            }
            ignore(labels, at, at + tokenizer.encode(parts[0] + mark).length);
            at += tokenizer.encode(turn).length + 1;
        }
        ignore(labels, at, labels.length);
        if (at < maxLength && at != seen(ids)) {
            ignore(labels, 0, labels.length);
        }
        return labels;
    }

    private List<String> turns(String text) {
        List<String> parts = List.of(text.split(Pattern.quote(template.stop()), -1));
        int first = Math.min(3, parts.size());
        return Stream.concat(
                        Stream.of(parts.subList(0, first)),
                        Stream.iterate(first, from -> from < parts.size(), from -> from + 2)
                                .map(from -> parts.subList(from, Math.min(from + 2, parts.size()))))
                .map(turn -> String.join(template.stop(), turn))
                .takeWhile(turn -> !turn.isEmpty())
                .toList();
    }

    /** Tokens that the original's mask lets be seen: all but the one that fills rows, wherever that stands. */
    private long seen(int[] ids) {
        int pad = tokenizer.padId().orElse(-1);
        return Arrays.stream(ids).filter(id -> id != pad).count();
    }

    private static void ignore(int[] labels, int from, int to) {
        Arrays.fill(labels, Math.min(from, labels.length), Math.min(to, labels.length), TokenizedDialog.IGNORED);
    }
}
