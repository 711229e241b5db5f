package io.github.internvl4j.runtime;

/** What a training needs: {@link io.github.internvl4j.train.TrainPlan} says what each part is. */
public record TrainingNeeds(
        long weights,
        long learning,
        long layerInputs,
        long intermediates,
        long scratch,
        long total,
        long available,
        boolean keepsIntermediates,
        long parameters,
        long learningParameters,
        double operationsPerToken,
        double operationsPerImage) {}
