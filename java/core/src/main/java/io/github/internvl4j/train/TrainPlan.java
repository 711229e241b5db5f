package io.github.internvl4j.train;

import io.github.internvl4j.host.Members;
import io.github.internvl4j.runtime.TrainingNeeds;
import org.jspecify.annotations.Nullable;

/** What a training takes, known before anything is loaded. Memory is in bytes. */
public final class TrainPlan {
    /** Numbers in f32: the value of what learns, its gradient and two moments. */
    private static final int KEPT = 4;

    private final TrainingNeeds needs;
    private final long samples;
    private final long steps;
    private final double operationsPerStep;

    TrainPlan(TrainingNeeds needs, long samples, long steps, double operationsPerStep) {
        this.needs = needs;
        this.samples = samples;
        this.steps = steps;
        this.operationsPerStep = operationsPerStep;
    }

    /** Samples of an epoch. */
    public long samples() {
        return samples;
    }

    /** Steps of all epochs. */
    public long steps() {
        return steps;
    }

    /** The checkpoint's weights, in place in their files or copied. */
    public long weights() {
        return needs.weights();
    }

    /** What learns: values, gradients and moments, all in f32. */
    public long learning() {
        return needs.learning();
    }

    /** The inputs of all layers, of the largest micro-batch that the options allow. */
    public long layerInputs() {
        return needs.layerInputs();
    }

    /** What layers compute: all layers' or one's. */
    public long intermediates() {
        return needs.intermediates();
    }

    /** Whether those are kept rather than computed again. */
    public boolean keepsIntermediates() {
        return needs.keepsIntermediates();
    }

    /** The operations' own. */
    public long scratch() {
        return needs.scratch();
    }

    /** The sum of all parts. */
    public long total() {
        return needs.total();
    }

    /** What the process may take now. */
    public long available() {
        return needs.available();
    }

    /** Whether it fits now. */
    public boolean fits() {
        return total() <= available();
    }

    /** Numbers of the checkpoint. */
    public long parameters() {
        return needs.parameters();
    }

    /** Numbers that learn. */
    public long learningParameters() {
        return needs.learningParameters();
    }

    /** Bytes of a saved state on disk. */
    public long stateBytes() {
        return learning() / KEPT * (KEPT - 1);
    }

    /** Bytes of the pairs on disk, where pairs learn. */
    public long adapterBytes() {
        return learning() / KEPT;
    }

    /** Floating-point operations of a step on the average, by the estimated lengths: a multiply-add counts as two. */
    public double operationsPerStep() {
        return operationsPerStep;
    }

    private Members members() {
        return Members.of("needs", needs)
                .and("samples", samples)
                .and("steps", steps)
                .and("operationsPerStep", operationsPerStep);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof TrainPlan that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    @Override
    public String toString() {
        return "TrainPlan" + members();
    }
}
