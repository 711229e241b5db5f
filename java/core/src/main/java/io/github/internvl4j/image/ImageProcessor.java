package io.github.internvl4j.image;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.Pieces;
import io.github.internvl4j.tensor.Tensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * From pictures to a model's pixel values, as the model card does it: {@code Image.resize((S, S))}, whatever the
 * picture's shape, then {@code CLIPImageProcessor} with the checkpoint's mean and standard deviation. The values are
 * equal to the original's to the last bit. Immutable; usable from many threads.
 */
public final class ImageProcessor {
    private static final int CHANNELS = 3;

    private final int size;

    /** The value of each of the 256 levels, for each channel. */
    private final float[][] values;

    private ImageProcessor(int size, float[][] values) {
        this.size = size;
        this.values = values;
    }

    /**
     * A processor for a checkpoint, at the size that its preprocessor_config.json has.
     *
     * @param modelDirectory the checkpoint's folder
     * @return the processor
     * @throws CheckpointException if the file is missing or a field is missing or malformed; the message names both
     */
    public static ImageProcessor load(Path modelDirectory) {
        return of(PreprocessorConfig.read(modelDirectory.resolve(PreprocessorConfig.FILE_NAME)));
    }

    /**
     * A processor for a checkpoint whose model wants a certain size.
     *
     * @param modelDirectory the checkpoint's folder
     * @param imageSize the model's picture size in pixels, {@code force_image_size} of its config.json
     * @return the processor
     * @throws CheckpointException if preprocessor_config.json is missing, a field is missing or malformed, or its size
     *     is not {@code imageSize}: the picture would not have as many patches as the prompt has places
     */
    public static ImageProcessor load(Path modelDirectory, int imageSize) {
        Path file = modelDirectory.resolve(PreprocessorConfig.FILE_NAME);
        PreprocessorConfig config = PreprocessorConfig.read(file);
        if (config.size() != imageSize) {
            throw new CheckpointException(file + ": size is " + config.size() + ", but the model takes pictures of "
                    + imageSize + " pixels (force_image_size in config.json)");
        }
        return of(config);
    }

    private static ImageProcessor of(PreprocessorConfig config) {
        float[][] values = new float[CHANNELS][256];
        for (int channel = 0; channel < CHANNELS; channel++) {
            for (int level = 0; level < 256; level++) {
                // CLIPImageProcessor on NumPy: the product in double, rounded to f32; the rest in f32.
                float value = config.rescale() ? (float) (level * config.rescaleFactor()) : level;
                if (config.normalize()) {
                    value = (value - (float) config.mean()[channel]) / (float) config.std()[channel];
                }
                values[channel][level] = value;
            }
        }
        return new ImageProcessor(config.size(), values);
    }

    /**
     * The size S of the pixel values.
     *
     * @return in pixels, width and height alike
     */
    public int imageSize() {
        return size;
    }

    /**
     * The pixel values of one picture.
     *
     * @param image of any size
     * @return shape (1, 3, S, S)
     */
    public Tensor preprocess(Image image) {
        return preprocess(List.of(image));
    }

    /**
     * The pixel values of several pictures, in their order.
     *
     * @param images at least one, of any sizes
     * @return shape (n, 3, S, S)
     * @throws InvalidOptionException if there is no picture, or the tensor would be too large
     */
    public Tensor preprocess(List<Image> images) {
        if (images.isEmpty()) {
            throw new InvalidOptionException("there is no picture to preprocess");
        }
        Tensor pixels = Tensor.allocate(images.size(), CHANNELS, size, size);
        Pieces.run(images.size(), i -> preprocess(images.get(i), pixels.slice(i)));
        return pixels;
    }

    /** One picture into its (3, S, S). */
    private void preprocess(Image image, Tensor target) {
        byte[] rgb = image.resize(size, size).array();
        float[] plane = new float[size * size];
        for (int channel = 0; channel < CHANNELS; channel++) {
            float[] table = values[channel];
            for (int i = 0, at = channel; i < plane.length; i++, at += CHANNELS) {
                plane[i] = table[rgb[at] & 0xff];
            }
            FloatBuffer to = target.slice(channel).data();
            to.put(plane);
        }
    }
}
