package io.github.internvl4j.train;

import io.github.internvl4j.runtime.NativeTraining;
import io.github.internvl4j.tensor.Tensor;
import java.util.List;

/** Gives the runtime samples. While neither vision tower nor projector learns, an image is encoded once, and its rows are kept. */
final class SampleFeed {
    private final ModelInputs inputs;
    private final NativeTraining training;
    private final boolean imagesStay;
    private final FeatureCache features;

    SampleFeed(ModelInputs inputs, NativeTraining training, boolean imagesStay, FeatureCache features) {
        this.inputs = inputs;
        this.training = training;
        this.imagesStay = imagesStay;
        this.features = features;
    }

    void add(TrainingSample sample) {
        TokenizedDialog dialog = sample.dialog();
        List<Tensor> images = sample.pictures().stream()
                .map(imagesStay ? this::rows : inputs::pixels)
                .toList();
        float[] values = images.isEmpty() ? null : Tensor.joined(images).toArray();
        training.add(
                dialog.ids(),
                dialog.labels(),
                inputs.imageToken(),
                imagesStay ? null : values,
                imagesStay ? values : null,
                sample.pictures().stream().mapToInt(Picture::tiles).sum());
    }

    /** What the decoder sees of an image. */
    private Tensor rows(Picture picture) {
        FeatureCache.Features kept = features.get(picture.content());
        if (kept != null) {
            return kept.values();
        }
        int rows = Math.multiplyExact(picture.tiles(), inputs.info().tokensPerImage());
        int width = inputs.info().hiddenSize();
        float[] encoded =
                training.encode(inputs.pixels(picture).toArray(), picture.tiles(), Math.multiplyExact(rows, width));
        Tensor values = Tensor.of(encoded, rows, width);
        features.put(picture.content(), new FeatureCache.Features(picture.tiles(), values));
        return values;
    }
}
