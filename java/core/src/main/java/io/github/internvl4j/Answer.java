package io.github.internvl4j;

import io.github.internvl4j.runtime.NativeGeneration;
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
    private final long started;
    private final double visionSeconds;
    private final List<Integer> tokens = new ArrayList<>();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private final List<List<TokenLogprob>> alternatives = new ArrayList<>();
    private double prefillSeconds;
    private long firstToken;
    private long reused;

    /** @param thinking whether the text is parted into thinking and answer */
    Answer(
            int[] promptTokens,
            GenerationConfig config,
            ReplyListener listener,
            PromptReader reader,
            boolean thinking,
            double visionSeconds) {
        this.promptTokens = promptTokens;
        this.config = config;
        this.listener = listener;
        this.visionSeconds = visionSeconds;
        stream = new AnswerStream(reader.tokenizer(), reader.stopStrings(config));
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
                new Reply.Timings(0, 0, 0, 0),
                0);
    }

    /** Takes a token. Not null if the answer is over with it. */
    @Nullable FinishReason accept(NativeGeneration generation, NativeGeneration.Step step) {
        if (tokens.isEmpty()) {
            firstToken = System.nanoTime();
            prefillSeconds = (firstToken - started) / 1e9;
            reused = generation.reused(step.request());
        }
        return accept(step, config.topLogprobs() == 0 ? List.of() : alternatives(generation, step.request()));
    }

    /** The same, where the alternatives are known. */
    @Nullable FinishReason accept(NativeGeneration.Step step, List<TokenLogprob> others) {
        tokens.add(step.token());
        logprobs.add(new TokenLogprob(step.token(), step.logprob()));
        if (config.topLogprobs() > 0) {
            alternatives.add(others);
        }
        // A stop token adds its text as any other does. The template's has none: it is special, or else a stop string.
        ThinkingStream.Parts parts = parted(stream.accept(step.token()));
        listener.onChunk(new Chunk(parts.text(), parts.thinking(), step.token(), step.logprob(), others));
        return stream.finished() ? FinishReason.STOP : step.finish();
    }

    /** Hands out text that was held back, and the whole. */
    Reply finish(FinishReason reason) {
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
                new Reply.Timings(visionSeconds, prefillSeconds, decodeSeconds, reused),
                0);
    }

    private ThinkingStream.Parts parted(String more) {
        return parting == null ? new ThinkingStream.Parts("", more) : parting.accept(more);
    }

    private void tell(ThinkingStream.Parts rest) {
        if (!rest.text().isEmpty() || !rest.thinking().isEmpty()) {
            listener.onChunk(new Chunk(rest.text(), rest.thinking(), -1, 0, List.of()));
        }
    }

    private List<TokenLogprob> alternatives(NativeGeneration generation, int request) {
        return generation.candidates(request, config.topLogprobs()).stream()
                .map(candidate -> new TokenLogprob(candidate.token(), candidate.logprob()))
                .toList();
    }
}
