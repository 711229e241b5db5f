package io.github.internvl4j.train;

import io.github.internvl4j.host.Members;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a step was. */
public final class TrainStep {
    private final long number;
    private final double epoch;
    private final List<Double> losses;
    private final double rate;
    private final double gradientNorm;
    private final double factor;
    private final long tokens;
    private final long learntTokens;
    private final Duration time;

    TrainStep(
            Learnt learnt, long number, double epoch, double rate, double gradientNorm, double factor, Duration time) {
        this.number = number;
        this.epoch = epoch;
        this.losses = List.copyOf(learnt.losses());
        this.rate = rate;
        this.gradientNorm = gradientNorm;
        this.factor = factor;
        this.tokens = learnt.tokens();
        this.learntTokens = learnt.learntTokens();
        this.time = time;
    }

    /**
     * What was gathered in it.
     *
     * @param losses of its micro-batches
     * @param tokens of its samples
     * @param learntTokens of these
     */
    record Learnt(List<Double> losses, long tokens, long learntTokens) {}

    /** From 1 on. */
    public long number() {
        return number;
    }

    /** How many epochs were done when it began. */
    public double epoch() {
        return epoch;
    }

    /** The mean of {@link #losses}; not a number where nothing was learnt. */
    public double loss() {
        return losses.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
    }

    /** The mean loss over the learnt tokens of each micro-batch that has some. */
    public List<Double> losses() {
        return losses;
    }

    /** The rate of learning. */
    public double rate() {
        return rate;
    }

    /** The norm of all gradients together. */
    public double gradientNorm() {
        return gradientNorm;
    }

    /** What they were multiplied by, to be within {@link TrainOptions#mostNorm}. */
    public double factor() {
        return factor;
    }

    /** Tokens that passed the decoder, images' too. */
    public long tokens() {
        return tokens;
    }

    /** Tokens that were learnt. */
    public long learntTokens() {
        return learntTokens;
    }

    /** How long it took, reading and all. */
    public Duration time() {
        return time;
    }

    private Members members() {
        return Members.of("number", number)
                .and("epoch", epoch)
                .and("losses", losses)
                .and("rate", rate)
                .and("gradientNorm", gradientNorm)
                .and("factor", factor)
                .and("tokens", tokens)
                .and("learntTokens", learntTokens)
                .and("time", time);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof TrainStep that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    @Override
    public String toString() {
        return "TrainStep" + members();
    }
}
