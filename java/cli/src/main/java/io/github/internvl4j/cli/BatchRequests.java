package io.github.internvl4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.BatchRequest;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.text.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A file's lines as requests; a line is parsed, and its images are read, when its turn comes. */
final class BatchRequests implements Iterator<Supplier<BatchRequest>> {
    private final JsonLines lines;
    private final Set<Integer> done;
    private final BatchAnswers answers;
    private final Settings settings;
    private JsonLines.@Nullable Line next;
    private int index = -1;
    private int asked;

    /** How lines are read. */
    record Settings(Media media, InputRules rules, SamplingOptions sampling, Tokenizer tokenizer) {}

    /**
     * @param done the requests that are passed over, by their numbers in the file
     * @param answers are told of each request before it is read
     */
    BatchRequests(JsonLines lines, Set<Integer> done, BatchAnswers answers, Settings settings) throws IOException {
        this.lines = lines;
        this.done = done;
        this.answers = answers;
        this.settings = settings;
        advance();
    }

    private void advance() throws IOException {
        do {
            next = lines.next();
            index++;
        } while (next != null && done.contains(index));
    }

    @Override
    public boolean hasNext() {
        return next != null;
    }

    @Override
    public Supplier<BatchRequest> next() {
        JsonLines.Line line = next;
        if (line == null) {
            throw new NoSuchElementException();
        }
        int at = index;
        int number = asked++;
        try {
            advance();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return () -> request(line, at, number);
    }

    private BatchRequest request(JsonLines.Line line, int at, int number) {
        String key = RequestKey.digest(line.bytes());
        GenerationConfig base = settings.sampling().config(settings.rules().thinking());
        answers.expect(number, new BatchAnswers.Asked(at, key, line.number(), new AnswerForm.Own(null), base));
        try {
            JsonNode object = BatchLine.parse(line.bytes());
            AnswerForm form = AnswerForm.of(object, settings.tokenizer());
            answers.expect(number, new BatchAnswers.Asked(at, key, line.number(), form, base));
            BatchLine request = BatchLine.of(object);
            boolean thinking = request.thinking(settings.rules().thinking());
            GenerationConfig config = request.config(settings.sampling().config(thinking));
            answers.expect(number, new BatchAnswers.Asked(at, key, line.number(), form, config));
            return BatchRequest.of(request.prompt(settings.media(), settings.rules()), config);
        } catch (InternVLException e) {
            throw e;
        } catch (RuntimeException | OutOfMemoryError e) {
            throw new InternVLException(Failures.describe(e), e); // whatever it is, it is this line's
        }
    }
}
