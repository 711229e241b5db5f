package io.github.internvl4j;

import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.host.Members;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** What became of a request that a model had begun with; times in seconds. */
public final class RequestReport {
    private static final double NANOS = 1e9;

    private final @Nullable FinishReason finish;
    private final @Nullable InternVLException failure;
    private final int promptTokens;
    private final long reusedTokens;
    private final double queue;
    private final double vision;
    private final double whole;
    private final long[] tokens;

    /** @param tokens when each came, in nanoseconds behind the request's beginning */
    RequestReport(
            @Nullable FinishReason finish,
            @Nullable InternVLException failure,
            int promptTokens,
            long reusedTokens,
            double queue,
            double vision,
            double whole,
            long... tokens) {
        this.finish = finish;
        this.failure = failure;
        this.promptTokens = promptTokens;
        this.reusedTokens = reusedTokens;
        this.queue = queue;
        this.vision = vision;
        this.whole = whole;
        this.tokens = tokens;
    }

    /** Why it ended; null if it failed. */
    public @Nullable FinishReason finish() {
        return finish;
    }

    /** What it failed with, or null. */
    public @Nullable InternVLException failure() {
        return failure;
    }

    /** Tokens of its prompt. */
    public int promptTokens() {
        return promptTokens;
    }

    /** Of those, how many were in the cache; 0 if no token came. */
    public long reusedTokens() {
        return reusedTokens;
    }

    /** Tokens that came. */
    public int newTokens() {
        return tokens.length;
    }

    /** Waiting for other requests; 0 if no token came. */
    public double queue() {
        return queue;
    }

    /** Preparing and encoding images, and waiting for that. */
    public double vision() {
        return vision;
    }

    /** From the request, before its images are prepared, to its first token; empty if none came. */
    public OptionalDouble firstToken() {
        return LongStream.of(tokens).mapToDouble(nanos -> nanos / NANOS).findFirst();
    }

    /** From each token to the next. Tokens that were guessed, were found by beams, or take less than 5 ms, come several at once. */
    public DoubleStream betweenTokens() {
        return IntStream.range(1, tokens.length).mapToDouble(i -> (tokens[i] - tokens[i - 1]) / NANOS);
    }

    /** From the request to its end. */
    public double whole() {
        return whole;
    }

    private Members members() {
        return Members.of("finish", finish)
                .and("failure", failure)
                .and("promptTokens", promptTokens)
                .and("reusedTokens", reusedTokens)
                .and("queue", queue)
                .and("vision", vision)
                .and("whole", whole)
                .and("tokens", LongStream.of(tokens).boxed().toList());
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof RequestReport that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    @Override
    public String toString() {
        return "RequestReport" + members();
    }
}
