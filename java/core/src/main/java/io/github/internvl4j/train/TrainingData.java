package io.github.internvl4j.train;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** What is learnt and what is held out, of a checkpoint's kind of inputs. */
final class TrainingData {
    private final ModelInputs inputs;
    private final TrainingSet all;
    private final TrainingSet learnt;
    private final @Nullable TrainingSet heldOut;

    TrainingData(ModelInputs inputs, Path meta, TrainOptions options) {
        this.inputs = inputs;
        all = inputs.samples(meta);
        if (options.heldOut() > 0) {
            HeldOut split = new HeldOut(all, options.heldOut(), options.seed());
            learnt = split.rest();
            heldOut = split.heldOut();
        } else {
            learnt = all;
            heldOut = options.heldOutData() == null ? null : inputs.samples(options.heldOutData());
        }
    }

    TrainingSet all() {
        return all;
    }

    TrainingSet learnt() {
        return learnt;
    }

    @Nullable
    TrainingSet heldOut() {
        return heldOut;
    }

    /** Tiles of a sample at most. */
    int mostTiles(int maxLength) {
        int images = Math.max(all.mostImages(), heldOut == null ? 0 : heldOut.mostImages());
        return inputs.mostTiles(images, maxLength);
    }

    /** Tokens of a sample on the average, by their estimated lengths, each cut. */
    double meanLength(int maxLength) {
        return Arrays.stream(learnt.lengths())
                .map(length -> Math.min(length, maxLength))
                .average()
                .orElse(0);
    }

    /** Tells this data from other data: a number that its lines and their lengths make. */
    int fingerprint() {
        int[] lines = IntStream.range(0, learnt.size())
                .map(sample -> 31 * learnt.setIndex(sample) + learnt.line(sample))
                .toArray();
        return 31 * Arrays.hashCode(lines) + Arrays.hashCode(learnt.lengths());
    }
}
