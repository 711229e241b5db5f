package io.github.internvl4j;

import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.runtime.RequestEvent;
import io.github.internvl4j.text.AnswerStream;
import io.github.internvl4j.text.ThinkingStream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** One answer on its way: tokens come in, chunks go to the listener, a reply comes out. */
final class Answer {
    private final int[] promptTokens;
    private final GenerationConfig config;
    private final ReplyListener listener;
    private final AnswerStream stream;
    private final @Nullable ThinkingStream parting;
    private final RequestWatch watch;
    private final long started;
    private double queueSeconds;
    private double visionSeconds;
    private final List<Integer> tokens = new ArrayList<>();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private final List<List<TokenLogprob>> alternatives = new ArrayList<>();
    private double prefillSeconds;
    private long firstToken;
    private long reused;

    /**
     * @param thinking whether the text is parted into thinking and answer
     * @param preparingSeconds what preparing its images took
     * @param watch looks on
     */
    Answer(
            int[] promptTokens,
            GenerationConfig config,
            ReplyListener listener,
            PromptReader reader,
            boolean thinking,
            double preparingSeconds,
            RequestWatch watch) {
        this.promptTokens = promptTokens;
        this.config = config;
        this.listener = listener;
        this.watch = watch;
        visionSeconds = preparingSeconds;
        stream = config.jsonSchema() == null
                ? new AnswerStream(reader.tokenizer(), reader.stopStrings(config))
                : AnswerStream.verbatim(reader.tokenizer(), reader.stopStrings(config));
        parting = thinking ? new ThinkingStream() : null;
        started = System.nanoTime();
        firstToken = started;
    }

    /** Of a request that was cancelled before its first token. */
    static Reply unbegun(int... promptTokens) {
        return new Reply(
                "",
                null,
                "",
                IntStream.of(promptTokens).boxed().toList(),
                List.of(),
                FinishReason.CANCELLED,
                List.of(),
                List.of(),
                new Reply.Timings(0, 0, 0, 0, 0),
                0);
    }

    /** Takes what became of the request. Not null if the answer is over with it. */
    @Nullable
    FinishReason accept(RequestEvent event) {
        if (event.token() >= 0) {
            if (tokens.isEmpty()) {
                begin(event);
            }
            accept(event, event.candidates());
        }
        if (stream.finished()) {
            return FinishReason.STOP;
        }
        return event.end();
    }

    private void begin(RequestEvent event) {
        firstToken = System.nanoTime();
        queueSeconds = event.queueSeconds();
        visionSeconds += event.imageSeconds();
        prefillSeconds = Math.max(0, (firstToken - started) / 1e9 - event.queueSeconds() - event.imageSeconds());
        reused = event.reused();
    }

    private void accept(RequestEvent event, List<TokenLogprob> others) {
        watch.token();
        tokens.add(event.token());
        logprobs.add(new TokenLogprob(event.token(), event.logprob()));
        if (config.topLogprobs() > 0) {
            alternatives.add(others);
        }
        // A stop token adds its text as any other does. The template's has none: it is special, or else a stop string.
        ThinkingStream.Parts parts = parted(stream.accept(event.token()));
        listener.onChunk(new Chunk(parts.text(), parts.thinking(), event.token(), event.logprob(), others));
    }

    /** Hands out text that was held back, and the whole. */
    Reply finish(FinishReason reason) {
        tellWatch(reason, null);
        tell(parted(stream.finish()));
        if (parting != null) {
            tell(parting.finish());
        }
        double decodeSeconds = tokens.isEmpty() ? 0 : (System.nanoTime() - firstToken) / 1e9;
        return new Reply(
                parting == null ? stream.text() : parting.text(),
                parting == null ? null : parting.thinking(),
                stream.text(),
                IntStream.of(promptTokens).boxed().toList(),
                List.copyOf(tokens),
                reason,
                List.copyOf(logprobs),
                List.copyOf(alternatives),
                new Reply.Timings(queueSeconds, visionSeconds, prefillSeconds, decodeSeconds, reused),
                0);
    }

    /** There is no answer. */
    void fail(InternVLException failure) {
        tellWatch(null, failure);
    }

    /** Nobody wants one any more, if it was not over. */
    void abandon() {
        tellWatch(FinishReason.CANCELLED, null);
    }

    private void tellWatch(@Nullable FinishReason reason, @Nullable InternVLException failure) {
        watch.end(reason, failure, promptTokens.length, reused, queueSeconds, visionSeconds);
    }

    private ThinkingStream.Parts parted(String more) {
        return parting == null ? new ThinkingStream.Parts("", more) : parting.accept(more);
    }

    private void tell(ThinkingStream.Parts rest) {
        if (!rest.text().isEmpty() || !rest.thinking().isEmpty()) {
            listener.onChunk(new Chunk(rest.text(), rest.thinking(), -1, 0, List.of()));
        }
    }
}
