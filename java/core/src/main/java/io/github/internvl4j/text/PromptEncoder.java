package io.github.internvl4j.text;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.PromptException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * Turns a laid-out prompt into token ids, and guards the one thing that must hold for the model: that there are as many
 * {@code <IMG_CONTEXT>} tokens as the images have rows. Immutable and safe for many threads.
 */
public final class PromptEncoder {
    private final Tokenizer tokenizer;
    private final int imageContextId;
    private final int stopId;

    /**
     * @param tokenizer the tokenizer of the checkpoint
     * @param template the template of the checkpoint
     * @throws CheckpointException if the tokenizer lacks a token that the template needs
     */
    public PromptEncoder(Tokenizer tokenizer, ConversationTemplate template) {
        Objects.requireNonNull(tokenizer, "tokenizer");
        Objects.requireNonNull(template, "template");
        this.tokenizer = tokenizer;
        for (String token : template.tokens()) {
            int id = tokenizer.tokenId(token).orElse(-1);
            if (id < 0 || Arrays.stream(tokenizer.encode(token)).noneMatch(i -> i == id)) {
                throw new CheckpointException("the tokenizer has no token " + token + ", which the template \""
                        + template.name() + "\" needs; expected it in added_tokens_decoder of tokenizer_config.json,"
                        + " or in added_tokens.json");
            }
        }
        this.imageContextId = idOf(tokenizer.tokenId(ConversationTemplate.IMAGE_CONTEXT));
        this.stopId = idOf(tokenizer.tokenId(template.stop()));
    }

    private static int idOf(OptionalInt id) {
        return id.orElseThrow(); // checked above
    }

    /** @return the id of the token that stands for a row of an image */
    public int imageContextId() {
        return imageContextId;
    }

    /** @return the id of the token that ends an answer */
    public int stopId() {
        return stopId;
    }

    /**
     * Encodes a prompt.
     *
     * @param prompt the prompt
     * @param mode what becomes of special tokens in the texts whose own mode the prompt does not tell
     * @return the ids; with {@link SpecialTokens#PARSE}, and in every mode for texts without special tokens, those of
     *     {@link Tokenizer#encode} of the whole prompt
     * @throws PromptException if the mode forbids a token in a user's text, or {@code <IMG_CONTEXT>} is typed and parsed
     */
    public int[] encode(RenderedPrompt prompt, SpecialTokens mode) {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(mode, "mode");
        List<Stretch> stretches = new ArrayList<>();
        for (Segment segment : prompt.segments()) {
            SpecialTokens own = segment.specialTokens() == null ? mode : segment.specialTokens();
            add(segment, segment.template() ? SpecialTokens.PARSE : own, stretches);
        }
        int[] ids = tokenizer.encode(stretches);
        long rows = Arrays.stream(ids).filter(id -> id == imageContextId).count();
        if (rows != prompt.imageTokens()) {
            throw new PromptException("the prompt has " + rows + " " + ConversationTemplate.IMAGE_CONTEXT
                    + " tokens, but its images have " + prompt.imageTokens() + " rows");
        }
        return ids;
    }

    private void add(Segment segment, SpecialTokens mode, List<Stretch> stretches) {
        String text = segment.text();
        switch (segment.author()) {
            case TEMPLATE -> stretches.add(new Stretch(text, false));
            case USER -> {
                check(text, mode);
                stretches.add(new Stretch(text, mode != SpecialTokens.PARSE));
            }
            case DEVELOPER, MODEL -> {
                if (mode == SpecialTokens.PARSE) {
                    addWithoutRows(text, stretches);
                } else {
                    stretches.add(new Stretch(text, true));
                }
            }
        }
    }

    /**
     * Parsed, but for what would be taken for a row of an image: nobody is there who could write it otherwise. Up to the next
     * added tokens that is one text with what stands beside it, whose user-defined pieces are then spelled out, too.
     */
    private static void addWithoutRows(String text, List<Stretch> stretches) {
        String row = ConversationTemplate.IMAGE_CONTEXT;
        int from = 0;
        for (int at = text.indexOf(row); at >= 0; at = text.indexOf(row, from)) {
            stretches.add(new Stretch(text.substring(from, at), false));
            stretches.add(new Stretch(row, true));
            from = at + row.length();
        }
        stretches.add(new Stretch(text.substring(from), false));
    }

    private void check(String text, SpecialTokens mode) {
        if (mode == SpecialTokens.PARSE && text.contains(ConversationTemplate.IMAGE_CONTEXT)) {
            throw new PromptException("the text contains " + ConversationTemplate.IMAGE_CONTEXT
                    + ", which would be taken for a row of an image; remove it, or encode special tokens as LITERAL");
        }
        if (mode == SpecialTokens.REJECT) {
            tokenizer.findMark(text).ifPresent(mark -> {
                throw new PromptException("the text contains the special token " + mark
                        + "; remove it, or encode special tokens as LITERAL or PARSE");
            });
        }
    }
}
