package io.github.internvl4j.image;

import io.github.internvl4j.error.InvalidOptionException;

/**
 * How an image is read. Immutable; start from {@link #defaults()}.
 *
 * @param exifTranspose whether the image is turned and mirrored upright by its EXIF (or XMP) orientation, as Pillow's
 *     {@code ImageOps.exif_transpose} does. Off by default, as in the model card, where {@code Image.open} leaves it
 * @param maxPixels the most pixels, width times height, that are decoded; an image that claims more is refused before
 *     any memory is taken for it
 */
public record ReadOptions(boolean exifTranspose, long maxPixels) {
    /** The default of {@link #maxPixels()}: twice Pillow's {@code MAX_IMAGE_PIXELS}, where Pillow too refuses. */
    public static final long DEFAULT_MAX_PIXELS = 178_956_970;

    /** The largest {@link #maxPixels()}: three bytes a pixel must fit a Java array. */
    public static final long LARGEST_MAX_PIXELS = Integer.MAX_VALUE / 3 - 8;

    private static final ReadOptions DEFAULTS = new ReadOptions(false, DEFAULT_MAX_PIXELS);

    /**
     * Checks the range of the limit.
     *
     * @param exifTranspose see above
     * @param maxPixels from 1 to {@link #LARGEST_MAX_PIXELS}
     * @throws InvalidOptionException if {@code maxPixels} is out of its range
     */
    public ReadOptions {
        if (maxPixels < 1 || maxPixels > LARGEST_MAX_PIXELS) {
            throw new InvalidOptionException(
                    "maxPixels is " + maxPixels + ", it must be from 1 to " + LARGEST_MAX_PIXELS);
        }
    }

    /**
     * No transposition, at most {@link #DEFAULT_MAX_PIXELS} pixels.
     *
     * @return the default options
     */
    public static ReadOptions defaults() {
        return DEFAULTS;
    }

    /**
     * These options with another transposition rule.
     *
     * @param transpose whether the stored orientation is applied
     * @return new options
     */
    public ReadOptions withExifTranspose(boolean transpose) {
        return new ReadOptions(transpose, maxPixels);
    }

    /**
     * These options with another limit.
     *
     * @param limit the most pixels, from 1 to {@link #LARGEST_MAX_PIXELS}
     * @return new options
     * @throws InvalidOptionException if the limit is out of its range
     */
    public ReadOptions withMaxPixels(long limit) {
        return new ReadOptions(exifTranspose, limit);
    }
}
