package io.github.internvl4j.image;

/** What each of a channel's 256 levels becomes, in the arithmetic of the original that belongs to a checkpoint. */
final class LevelValues {
    static final int CHANNELS = 3;

    private static final int LEVELS = 256;

    private static final double[] IMAGENET_MEAN = {0.485, 0.456, 0.406};
    private static final double[] IMAGENET_STD = {0.229, 0.224, 0.225};

    private final float[][] values = new float[CHANNELS][LEVELS];

    private interface Rule {
        float value(int channel, int level);
    }

    private LevelValues(Rule rule) {
        for (int channel = 0; channel < CHANNELS; channel++) {
            for (int level = 0; level < LEVELS; level++) {
                values[channel][level] = rule.value(channel, level);
            }
        }
    }

    /** CLIPImageProcessor on NumPy: the product in double, rounded to f32; the rest in f32. */
    static LevelValues ofNumPy(PreprocessorConfig config) {
        return new LevelValues((channel, level) -> {
            float value = config.rescale() ? (float) (level * config.rescaleFactor()) : level;
            return config.normalize()
                    ? (value - (float) config.mean()[channel]) / (float) config.std()[channel]
                    : value;
        });
    }

    /** ToTensor and Normalize of the remote code that cuts tiles: in f32, with ImageNet's numbers, whatever the files say. */
    static LevelValues ofImageNet() {
        return new LevelValues(
                (channel, level) -> (level / 255f - (float) IMAGENET_MEAN[channel]) / (float) IMAGENET_STD[channel]);
    }

    /** The fast processors of transformers, in f32: the levels stay, mean and deviation are brought to their scale. */
    static LevelValues ofTensors(PreprocessorConfig config) {
        float scale = config.rescale() ? (float) (1 / config.rescaleFactor()) : 1;
        return new LevelValues((channel, level) -> {
            if (config.normalize()) {
                return (level - (float) config.mean()[channel] * scale) / ((float) config.std()[channel] * scale);
            }
            return config.rescale() ? level * (float) config.rescaleFactor() : level;
        });
    }

    /** The values of a channel's levels, which the caller only reads. */
    float[] of(int channel) {
        return values[channel];
    }
}
