package io.github.internvl4j;

import io.github.internvl4j.runtime.NativeGeneration;
import io.github.internvl4j.text.AnswerStream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** One answer on its way: tokens come in, pieces go to the listener, a reply comes out. */
final class Answer {
    private final int[] promptTokens;
    private final GenerationConfig config;
    private final ReplyListener listener;
    private final AnswerStream stream;
    private final long started;
    private final double visionSeconds;
    private final List<Integer> tokens = new ArrayList<>();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private final List<List<TokenLogprob>> alternatives = new ArrayList<>();
    private double prefillSeconds;
    private long firstToken;
    private long reused;

    Answer(
            int[] promptTokens,
            GenerationConfig config,
            ReplyListener listener,
            PromptReader reader,
            double visionSeconds) {
        this.promptTokens = promptTokens;
        this.config = config;
        this.listener = listener;
        this.visionSeconds = visionSeconds;
        stream = new AnswerStream(reader.tokenizer(), reader.stopStrings(config));
        started = System.nanoTime();
        firstToken = started;
    }

    /** Of a request that was cancelled before its first token. */
    static Reply unbegun(int... promptTokens) {
        return new Reply(
                "",
                IntStream.of(promptTokens).boxed().toList(),
                List.of(),
                FinishReason.CANCELLED,
                List.of(),
                List.of(),
                new Reply.Timings(0, 0, 0, 0));
    }

    /** Takes a token. Not null if the answer is over with it. */
    @Nullable FinishReason accept(NativeGeneration generation, NativeGeneration.Step step) {
        if (tokens.isEmpty()) {
            firstToken = System.nanoTime();
            prefillSeconds = (firstToken - started) / 1e9;
            reused = generation.reused(step.request());
        }
        List<TokenLogprob> others = config.topLogprobs() == 0 ? List.of() : alternatives(generation, step.request());
        tokens.add(step.token());
        logprobs.add(new TokenLogprob(step.token(), step.logprob()));
        if (config.topLogprobs() > 0) {
            alternatives.add(others);
        }
        // A stop token adds its text as any other does. The template's has none: it is special, or else a stop string.
        String text = stream.accept(step.token());
        listener.onPiece(new Piece(text, step.token(), step.logprob(), others));
        return stream.finished() ? FinishReason.STOP : step.finish();
    }

    /** Hands out text that was held back, and the whole. */
    Reply finish(FinishReason reason) {
        String rest = stream.finish();
        if (!rest.isEmpty()) {
            listener.onPiece(new Piece(rest, -1, 0, List.of()));
        }
        double decodeSeconds = tokens.isEmpty() ? 0 : (System.nanoTime() - firstToken) / 1e9;
        return new Reply(
                stream.text(),
                IntStream.of(promptTokens).boxed().toList(),
                List.copyOf(tokens),
                reason,
                List.copyOf(logprobs),
                List.copyOf(alternatives),
                new Reply.Timings(visionSeconds, prefillSeconds, decodeSeconds, reused));
    }

    private List<TokenLogprob> alternatives(NativeGeneration generation, int request) {
        return generation.candidates(request, config.topLogprobs()).stream()
                .map(candidate -> new TokenLogprob(candidate.token(), candidate.logprob()))
                .toList();
    }
}
