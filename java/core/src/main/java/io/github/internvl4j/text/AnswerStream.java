package io.github.internvl4j.text;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The text of an answer while its tokens come. All chunks together are {@link #text()}, and at the end that is what
 * InternVL's {@code chat} returns: {@code decode(ids, skip_special_tokens=True).split(stop)[0].strip()}. So whitespace
 * at the start never comes out, and whitespace after it only when more follows. An id that the tokenizer has no token
 * for is no text: some models have more rows than that. For one answer and one thread.
 */
public final class AnswerStream {
    private final Tokenizer tokenizer;
    private final StreamDecoder decoder;
    private final StopStrings stops;
    private final TrimmedText text = new TrimmedText();
    private boolean finished;

    /**
     * @param tokenizer the tokenizer of the model that answers
     * @param stopStrings strings that end the answer and are no part of it; the template's
     *     {@link ConversationTemplate#stop()} belongs to them
     */
    public AnswerStream(Tokenizer tokenizer, List<String> stopStrings) {
        this(tokenizer, Objects.requireNonNull(tokenizer, "tokenizer").newDecoder(), stopStrings);
    }

    private AnswerStream(Tokenizer tokenizer, StreamDecoder decoder, List<String> stopStrings) {
        Objects.requireNonNull(stopStrings, "stopStrings");
        this.tokenizer = tokenizer;
        this.decoder = decoder;
        stops = new StopStrings(stopStrings);
    }

    /**
     * Of an answer whose every byte counts, as JSON's do: no space inside it is taken away, even where the checkpoint's tokenizer cleans
     * up before punctuation.
     *
     * @param tokenizer as in the constructor
     * @param stopStrings as in the constructor
     * @return the answer's text, of which there is none yet
     */
    public static AnswerStream verbatim(Tokenizer tokenizer, List<String> stopStrings) {
        Objects.requireNonNull(tokenizer, "tokenizer");
        return new AnswerStream(tokenizer, new VerbatimDecoder(tokenizer), stopStrings);
    }

    /**
     * Takes the next token of the answer.
     *
     * @param tokenId its id
     * @return the text that has become certain; possibly empty, and always so after a stop string
     */
    public String accept(int tokenId) {
        if (finished || !tokenizer.contains(tokenId)) {
            return "";
        }
        return passOn(stops.accept(decoder.accept(tokenId)));
    }

    /**
     * Ends the answer.
     *
     * @return the text that was waiting; possibly empty
     */
    public String finish() {
        if (finished) {
            return "";
        }
        String chunk = passOn(stops.accept(decoder.finish()) + stops.finish());
        finished = true;
        return chunk;
    }

    /** @return whether a stop string was met or {@link #finish()} was called: no more text comes */
    public boolean finished() {
        return finished;
    }

    /** @return the stop string that ended the answer, or empty */
    public Optional<String> stopString() {
        return stops.match();
    }

    /** @return the answer so far, as passed on */
    public String text() {
        return text.toString();
    }

    private String passOn(String more) {
        finished = stops.match().isPresent();
        return text.accept(more);
    }

    /**
     * The answer that finished tokens make.
     *
     * @param tokenizer the tokenizer of the model that answered
     * @param tokenIds the answer's tokens
     * @param stopStrings as in the constructor
     * @return what {@link #text()} would be after all of them
     */
    public static String textOf(Tokenizer tokenizer, int[] tokenIds, List<String> stopStrings) {
        Objects.requireNonNull(tokenIds, "tokenIds");
        StopStrings stops = new StopStrings(stopStrings);
        int[] known = Arrays.stream(tokenIds).filter(tokenizer::contains).toArray();
        return PythonText.strip(stops.accept(tokenizer.decode(known, true)) + stops.finish());
    }
}
