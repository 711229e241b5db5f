package io.github.internvl4j.image;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.Members;
import org.jspecify.annotations.Nullable;

/** How an image is read. Immutable: every setter returns a changed copy. */
public final class ReadOptions {
    /** The default of {@link #maxPixels()}: twice Pillow's {@code MAX_IMAGE_PIXELS}, where Pillow too refuses. */
    public static final long DEFAULT_MAX_PIXELS = 178_956_970;

    /** The largest {@link #maxPixels()}: three bytes a pixel must fit a Java array. */
    public static final long LARGEST_MAX_PIXELS = Integer.MAX_VALUE / 3 - 8;

    private static final ReadOptions DEFAULTS = new ReadOptions(false, DEFAULT_MAX_PIXELS);

    private final boolean exifTranspose;
    private final long maxPixels;

    private ReadOptions(boolean exifTranspose, long maxPixels) {
        if (maxPixels < 1 || maxPixels > LARGEST_MAX_PIXELS) {
            throw new InvalidOptionException(
                    "maxPixels is " + maxPixels + ", it must be from 1 to " + LARGEST_MAX_PIXELS);
        }
        this.exifTranspose = exifTranspose;
        this.maxPixels = maxPixels;
    }

    /**
     * No transposition, at most {@link #DEFAULT_MAX_PIXELS} pixels.
     *
     * @return the default options
     */
    public static ReadOptions defaults() {
        return DEFAULTS;
    }

    /** With the stored orientation applied, or not. */
    public ReadOptions exifTranspose(boolean value) {
        return new ReadOptions(value, maxPixels);
    }

    /**
     * With another limit.
     *
     * @param value the most pixels, from 1 to {@link #LARGEST_MAX_PIXELS}
     * @throws InvalidOptionException if it is out of this range
     */
    public ReadOptions maxPixels(long value) {
        return new ReadOptions(exifTranspose, value);
    }

    /**
     * The earlier name of {@link #exifTranspose(boolean)}.
     *
     * @deprecated all settings are named without "with" now
     */
    @Deprecated(since = "0.1.0")
    @SuppressWarnings("InlineMeSuggester") // its annotation would be a dependency of users
    public ReadOptions withExifTranspose(boolean value) {
        return exifTranspose(value);
    }

    /**
     * The earlier name of {@link #maxPixels(long)}.
     *
     * @throws InvalidOptionException as there
     * @deprecated all settings are named without "with" now
     */
    @Deprecated(since = "0.1.0")
    @SuppressWarnings("InlineMeSuggester") // its annotation would be a dependency of users
    public ReadOptions withMaxPixels(long value) {
        return maxPixels(value);
    }

    /**
     * Whether the image is turned and mirrored upright by its EXIF (or XMP) orientation, as Pillow's {@code
     * ImageOps.exif_transpose} does. Off by default, as in the model card, where {@code Image.open} leaves it.
     */
    public boolean exifTranspose() {
        return exifTranspose;
    }

    /**
     * The most pixels, width times height, that are decoded; an image that claims more is refused before any memory is taken for
     * it.
     */
    public long maxPixels() {
        return maxPixels;
    }

    private Members members() {
        return Members.of("exifTranspose", exifTranspose).and("maxPixels", maxPixels);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ReadOptions that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    @Override
    public String toString() {
        return "ReadOptions" + members();
    }
}
