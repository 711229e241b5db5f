package io.github.internvl4j.train;

import io.github.internvl4j.text.ConversationTemplate;
import io.github.internvl4j.text.Tokenizer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * For every template but Hermes-2: each answer is learnt, and the token that ends it. That is what the original's functions for these
 * templates are for; where they differ from it ({@code preprocess_internlm}, {@code _phi3} and the one for Vicuna count tokens of pieces), it is
 * not theirs. Of {@code preprocess_internvl2_5} it has all but that turns must alternate here and that an answer before the first question is
 * left out.
 *
 * <p>A first message may be the system's. Images take the places in questions, in order; there must be one for each.
 */
final class AnswerEncoder implements DialogEncoder {
    private final ConversationTemplate template;
    private final Tokenizer tokenizer;
    private final int maxLength;

    AnswerEncoder(ConversationTemplate template, Tokenizer tokenizer, int maxLength) {
        this.template = template;
        this.tokenizer = tokenizer;
        this.maxLength = maxLength;
    }

    @Override
    public TokenizedDialog encode(List<Message> dialog, List<Integer> rows) throws BadSampleException {
        boolean told = dialog.get(0).author() == Message.Author.SYSTEM;
        String system = told ? dialog.get(0).text() : template.defaultSystemMessage();
        List<Message> turns = told ? dialog.subList(1, dialog.size()) : dialog;
        Deque<Integer> images = new ArrayDeque<>(rows);
        Walk walk = new Walk();
        if (system != null) {
            walk.text.append(DialogText.of(template.system(), system));
        }
        for (Message message : turns.isEmpty() ? turns : DialogText.alternating(turns)) {
            if (message.author() == Message.Author.USER) {
                walk.text.append(DialogText.of(template.user(), placed(message.text(), images)));
            } else {
                walk.answer(message.text());
            }
        }
        if (!images.isEmpty()) {
            throw new BadSampleException(
                    "the questions have " + (rows.size() - images.size()) + " places for " + rows.size() + " images");
        }
        return walk.end();
    }

    private static String placed(String text, Deque<Integer> images) {
        String placed = text;
        while (!images.isEmpty() && placed.contains(ConversationTemplate.IMAGE)) {
            placed = DialogText.withImage(placed, images.remove());
        }
        return placed;
    }

    /** The text so far, and how many tokens it has where an answer begins and ends. */
    private final class Walk {
        private final StringBuilder text = new StringBuilder();
        private final Deque<int[]> answers = new ArrayDeque<>();

        void answer(String answer) {
            String begin = template.assistant().begin();
            int from = tokens(text + begin.replaceFirst(" +$", "")); // a space is one token with the word behind it
            int before = text.length();
            text.append(DialogText.of(template.assistant(), answer));
            if (!answer.isEmpty()) {
                int stop = before
                        + begin.length()
                        + answer.length()
                        + template.stop().length();
                answers.add(new int[] {from, tokens(text.substring(0, stop))});
            }
        }

        private int tokens(String prefix) {
            return tokenizer.encode(prefix).length;
        }

        TokenizedDialog end() {
            int[] whole = tokenizer.encode(text.toString());
            int[] ids = Arrays.copyOf(whole, Math.min(whole.length, maxLength));
            int[] labels = new int[ids.length];
            Arrays.fill(labels, TokenizedDialog.IGNORED);
            for (int[] answer : answers) {
                for (int i = answer[0]; i < Math.min(answer[1], ids.length); i++) {
                    labels[i] = ids[i];
                }
            }
            return new TokenizedDialog(ids, labels);
        }
    }
}
