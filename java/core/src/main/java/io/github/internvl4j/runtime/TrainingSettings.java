package io.github.internvl4j.runtime;

import io.github.internvl4j.ActivationType;

/**
 * What {@link NativeTraining} is told: {@link io.github.internvl4j.train.TrainOptions} says what each is.
 *
 * @param decoder what of it learns, as ivl_learning has it
 * @param vision likewise
 * @param projector likewise
 * @param decoderRank of its pairs
 * @param visionRank of its pairs
 * @param seed of the pairs
 * @param activations their type
 * @param keep 1: what layers compute is kept, 0: computed again, -1: kept if there is room
 * @param threads of computing
 * @param most what a micro-batch has at most
 * @param memoryLimit in bytes
 * @param decay of what learns
 * @param mostNorm of a step's gradients
 */
public record TrainingSettings(
        int decoder,
        int vision,
        int projector,
        int decoderRank,
        int visionRank,
        long seed,
        ActivationType activations,
        int keep,
        int threads,
        Most most,
        long memoryLimit,
        double decay,
        double mostNorm) {
    /**
     * What a micro-batch has at most.
     *
     * @param tokens of a sample
     * @param samples of a micro-batch
     * @param images of a micro-batch, tiles counted
     */
    public record Most(int tokens, int samples, int images) {}
}
