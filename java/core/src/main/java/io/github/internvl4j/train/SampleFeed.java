package io.github.internvl4j.train;

import io.github.internvl4j.runtime.NativeTraining;
import java.util.ArrayList;
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
        int images = sample.pictures().stream().mapToInt(Picture::tiles).sum();
        float[] values = null;
        if (images > 0) {
            List<float[]> parts = new ArrayList<>();
            for (Picture picture : sample.pictures()) {
                parts.add(imagesStay ? rows(picture) : inputs.pixels(picture).toArray());
            }
            values = joined(parts);
        }
        training.add(
                dialog.ids(),
                dialog.labels(),
                inputs.imageToken(),
                imagesStay ? null : values,
                imagesStay ? values : null,
                images);
    }

    private float[] rows(Picture picture) {
        FeatureCache.Features kept = features.get(picture.content());
        if (kept != null) {
            return kept.values();
        }
        int rows =
                Math.multiplyExact(inputs.info().tokensPerImage(), inputs.info().hiddenSize());
        float[] encoded = training.encode(inputs.pixels(picture).toArray(), picture.tiles(), rows);
        features.put(picture.content(), new FeatureCache.Features(picture.tiles(), encoded));
        return encoded;
    }

    private static float[] joined(List<float[]> parts) {
        if (parts.size() == 1) {
            return parts.get(0);
        }
        float[] all = new float[parts.stream().mapToInt(part -> part.length).reduce(0, Math::addExact)];
        int at = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }
}
