package io.github.internvl4j.image;

import io.github.internvl4j.ModelInfo;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.Chunks;
import io.github.internvl4j.tensor.Tensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * From images to a model's pixel values, as the original code of the checkpoint's layout does it: the kernel that images
 * are resized with, the tiles they are cut into, and the normalization. The values are equal to the original's to the last
 * bit. Immutable; usable from many threads.
 */
public final class ImageProcessor {
    private final int size;
    private final Tiling tiling;
    private final Resize resize;
    private final LevelValues values;

    private ImageProcessor(int size, Tiling tiling, Resize resize, LevelValues values) {
        this.size = size;
        this.tiling = tiling;
        this.resize = resize;
        this.values = values;
    }

    /**
     * A processor that makes each image one square, as for InternVL-Chat-V1-2, at the size that the checkpoint's
     * preprocessor_config.json has: {@code Image.resize((S, S))}, then {@code CLIPImageProcessor}.
     *
     * @param modelDirectory the checkpoint's folder
     * @return the processor
     * @throws CheckpointException if the file is missing or a field is missing or malformed, the message names both; or if
     *     it is the file of another layout
     */
    public static ImageProcessor load(Path modelDirectory) {
        Objects.requireNonNull(modelDirectory, "modelDirectory");
        return squares(PreprocessorConfig.read(modelDirectory.resolve(PreprocessorConfig.FILE_NAME)));
    }

    /**
     * As {@link #load(Path)}, for a model that wants a certain size.
     *
     * @param modelDirectory the checkpoint's folder
     * @param imageSize the model's image size in pixels, {@code force_image_size} of its config.json
     * @return the processor
     * @throws CheckpointException if preprocessor_config.json is missing, a field is missing or malformed, or its size
     *     is not {@code imageSize}: the image would not have as many patches as the prompt has placeholders
     */
    public static ImageProcessor load(Path modelDirectory, int imageSize) {
        Objects.requireNonNull(modelDirectory, "modelDirectory");
        Path file = modelDirectory.resolve(PreprocessorConfig.FILE_NAME);
        return squares(sized(file, PreprocessorConfig.read(file), imageSize, "force_image_size"));
    }

    /**
     * A processor for a model, as the original code of its layout does it. In the remote code's layout a model that takes tiles
     * has Pillow's kernel and ImageNet's mean and standard deviation, and preprocessor_config.json is not read; one that takes
     * squares has what {@link #load(Path, int)} gives. In the layout of transformers the kernel is torchvision's, and
     * preprocessor_config.json, or {@code image_processor} in processor_config.json, has the rest.
     *
     * @param modelDirectory the checkpoint's folder
     * @param model what {@link io.github.internvl4j.InternVL#inspect} says of it
     * @return the processor
     * @throws CheckpointException if the file is needed and missing, a field is missing or malformed, or its
     *     size is not the model's
     */
    public static ImageProcessor load(Path modelDirectory, ModelInfo model) {
        Objects.requireNonNull(modelDirectory, "modelDirectory");
        Objects.requireNonNull(model, "model");
        if (model.layout() == ModelInfo.Layout.TRANSFORMERS) {
            return tensors(PreprocessorConfig.fileOfTransformers(modelDirectory), model.imageSize());
        }
        if (!model.tiling().dynamic()) {
            return load(modelDirectory, model.imageSize());
        }
        return new ImageProcessor(model.imageSize(), model.tiling(), Resize.PILLOW, LevelValues.ofImageNet());
    }

    private static ImageProcessor tensors(Path file, int imageSize) {
        PreprocessorConfig config =
                sized(file, PreprocessorConfig.readTransformers(file), imageSize, "vision_config.image_size");
        return new ImageProcessor(config.size(), config.tiling(), Resize.TORCHVISION, LevelValues.ofTensors(config));
    }

    private static PreprocessorConfig sized(Path file, PreprocessorConfig config, int imageSize, String field) {
        if (config.size() != imageSize) {
            throw new CheckpointException(file + ": size is " + config.size() + ", but the model takes images of "
                    + imageSize + " pixels (" + field + " in config.json)");
        }
        return config;
    }

    private static ImageProcessor squares(PreprocessorConfig config) {
        return new ImageProcessor(config.size(), Tiling.NONE, Resize.PILLOW, LevelValues.ofNumPy(config));
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
     * How images are cut where nothing else is asked for.
     *
     * @return the checkpoint's own tiling
     */
    public Tiling tiling() {
        return tiling;
    }

    /**
     * The pixel values of one image, with the checkpoint's own tiling.
     *
     * @param image of any size
     * @return shape (tiles, 3, S, S)
     */
    public Tensor preprocess(Image image) {
        return preprocess(List.of(image));
    }

    /**
     * The pixel values of several images, in their order, with the checkpoint's own tiling.
     *
     * @param images at least one, of any sizes
     * @return shape (tiles of all images, 3, S, S)
     * @throws InvalidOptionException if there is no image, or the tensor would be too large
     */
    public Tensor preprocess(List<Image> images) {
        return preprocess(images, tiling);
    }

    /**
     * The pixel values of several images, in their order. An image's tiles come row by row from the top, each row from
     * the left, and its thumbnail last.
     *
     * @param images at least one, of any sizes
     * @param asked how they are cut
     * @return shape (tiles of all images, 3, S, S)
     * @throws InvalidOptionException if there is no image, or an image in tiles or the tensor would be too large
     */
    public Tensor preprocess(List<Image> images, Tiling asked) {
        Objects.requireNonNull(images, "images");
        Objects.requireNonNull(asked, "asked");
        if (images.isEmpty()) {
            throw new InvalidOptionException("there is no image to preprocess");
        }
        long[] first = new long[images.size()];
        long tiles = 0;
        for (int i = 0; i < first.length; i++) {
            first[i] = tiles;
            tiles += asked.tiles(images.get(i).width(), images.get(i).height(), size);
        }
        Tensor pixels = Tensor.allocate(tiles, LevelValues.CHANNELS, size, size);
        Chunks.run(first.length, i -> preprocess(images.get(i), asked, pixels, first[i]));
        return pixels;
    }

    /** One image into its (tiles, 3, S, S). Only the bytes of the whole grid are held beside them. */
    private void preprocess(Image image, Tiling asked, Tensor pixels, long first) {
        Tiling.Grid grid = asked.grid(image.width(), image.height(), size);
        Image whole = resize.resize(image, size * grid.columns(), size * grid.rows());
        Chunks.run(grid.tiles(), tile -> {
            int x = tile % grid.columns() * size;
            int y = tile / grid.columns() * size;
            write(whole, x, y, pixels.slice(first + tile));
        });
        if (asked.hasThumbnail(grid)) {
            write(resize.resize(image, size, size), 0, 0, pixels.slice(first + grid.tiles()));
        }
    }

    /** The square at (x, y) into its (3, S, S). */
    private void write(Image image, int x, int y, Tensor target) {
        byte[] rgb = image.array();
        float[] plane = new float[size * size];
        for (int channel = 0; channel < LevelValues.CHANNELS; channel++) {
            float[] table = values.of(channel);
            for (int row = 0; row < size; row++) {
                int at = LevelValues.CHANNELS * ((y + row) * image.width() + x) + channel;
                for (int i = row * size; i < (row + 1) * size; i++, at += LevelValues.CHANNELS) {
                    plane[i] = table[rgb[at] & 0xff];
                }
            }
            FloatBuffer to = target.slice(channel).data();
            to.put(plane);
        }
    }
}
