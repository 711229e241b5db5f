package io.github.internvl4j.image;

import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.InvalidOptionException;
import java.awt.image.BufferedImage;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An immutable image of 8-bit RGB pixels.
 *
 * <p>Files are read to exactly the bytes of Pillow's {@code Image.open(file).convert("RGB")}: JPEG (gray, YCbCr, RGB,
 * CMYK, YCCK; baseline and progressive), PNG (all colour types and depths), GIF and WebP (the first frame) and BMP.
 * Alpha is dropped, not blended; colour profiles and gamma are ignored; 16-bit RGB keeps its high bytes; 16-bit gray is
 * clipped at 255. A file that ends before its pixels do is an error and never a partial image; other damage is
 * an error or let pass, as in Pillow.
 */
public final class Image {
    private final int width;
    private final int height;
    private final byte[] rgb;

    /** Takes the array as it is: for this package only, which does not write to it afterwards. */
    Image(int width, int height, byte[] rgb) {
        this.width = width;
        this.height = height;
        this.rgb = rgb;
    }

    /**
     * Reads an image file with the default options.
     *
     * @param file a JPEG, PNG, GIF, BMP or WebP file, on any file system; its content decides, not its name
     * @return the image
     * @throws ImageException if it cannot be read; the message names the file and the reason
     */
    public static Image read(Path file) {
        return read(file, ReadOptions.defaults());
    }

    /**
     * Reads an image file.
     *
     * @param file a JPEG, PNG, GIF, BMP or WebP file, on any file system; its content decides, not its name
     * @param options orientation and limits
     * @return the image
     * @throws ImageException if it cannot be read; the message names the file and the reason
     */
    public static Image read(Path file, ReadOptions options) {
        Objects.requireNonNull(file, "file");
        Objects.requireNonNull(options, "options");
        return ImageDecoder.decode(EncodedBytes.of(file), file.toString(), options);
    }

    /**
     * Reads an image from a stream, up to its end; the stream is not closed.
     *
     * @param stream the bytes of an image file
     * @param name what messages call the source
     * @return the image
     * @throws ImageException if it cannot be read; the message has the name and the reason
     */
    public static Image read(InputStream stream, String name) {
        return read(stream, name, ReadOptions.defaults());
    }

    /**
     * Reads an image from a stream, up to its end; the stream is not closed.
     *
     * @param stream the bytes of an image file
     * @param name what messages call the source
     * @param options orientation and limits
     * @return the image
     * @throws ImageException if it cannot be read; the message has the name and the reason
     */
    public static Image read(InputStream stream, String name, ReadOptions options) {
        Objects.requireNonNull(stream, "stream");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(options, "options");
        return ImageDecoder.decode(EncodedBytes.of(stream, name), name, options);
    }

    /**
     * Reads an image from memory with the default options.
     *
     * @param encoded the bytes of an image file
     * @param name what messages call the source
     * @return the image
     * @throws ImageException if it cannot be read; the message has the name and the reason
     */
    public static Image read(byte[] encoded, String name) {
        return read(encoded, name, ReadOptions.defaults());
    }

    /**
     * Reads an image from memory.
     *
     * @param encoded the bytes of an image file
     * @param name what messages call the source
     * @param options orientation and limits
     * @return the image
     * @throws ImageException if it cannot be read; the message has the name and the reason
     */
    public static Image read(byte[] encoded, String name, ReadOptions options) {
        Objects.requireNonNull(encoded, "encoded");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(options, "options");
        return ImageDecoder.decode(encoded, name, options);
    }

    /**
     * An image from raw pixels.
     *
     * @param width in pixels, at least 1
     * @param height in pixels, at least 1
     * @param rgb {@code 3 * width * height} bytes: rows from the top, pixels from the left, red, green, blue; copied
     * @return the image
     * @throws InvalidOptionException if a size is below 1 or the array's length does not match
     */
    public static Image ofRgb(int width, int height, byte[] rgb) {
        Objects.requireNonNull(rgb, "rgb");
        if (width < 1 || height < 1) {
            throw new InvalidOptionException("an image of " + width + "x" + height + " pixels has no pixels");
        }
        if (rgb.length != 3L * width * height) {
            throw new InvalidOptionException("an image of " + width + "x" + height + " pixels has "
                    + 3L * width * height + " RGB bytes, " + rgb.length + " were given");
        }
        return new Image(width, height, rgb.clone());
    }

    /**
     * An image from an AWT one. Gray, palette and packed RGB images keep their stored values and alpha is dropped,
     * as for files; anything else is converted to sRGB by AWT.
     *
     * @param image of any type
     * @return the image
     */
    public static Image of(BufferedImage image) {
        Objects.requireNonNull(image, "image");
        return BufferedImages.toImage(image);
    }

    /**
     * The width.
     *
     * @return in pixels, at least 1
     */
    public int width() {
        return width;
    }

    /**
     * The height.
     *
     * @return in pixels, at least 1
     */
    public int height() {
        return height;
    }

    /**
     * All pixels.
     *
     * @return a new array of {@code 3 * width * height} bytes: rows from the top, pixels from the left, red, green,
     *     blue
     */
    public byte[] rgb() {
        return rgb.clone();
    }

    /**
     * One pixel.
     *
     * @param x from 0, the left
     * @param y from 0, the top
     * @return {@code 0xRRGGBB}
     * @throws IndexOutOfBoundsException if the pixel is outside the image
     */
    public int pixel(int x, int y) {
        if (x < 0 || x >= width || y < 0 || y >= height) {
            throw new IndexOutOfBoundsException("pixel (" + x + ", " + y + ") of " + this);
        }
        int at = 3 * (y * width + x);
        return (rgb[at] & 0xff) << 16 | (rgb[at + 1] & 0xff) << 8 | rgb[at + 2] & 0xff;
    }

    /**
     * This image in another size, to the byte as Pillow's {@code resize((width, height))} with its default filter,
     * bicubic with antialiasing.
     *
     * @param newWidth in pixels, at least 1
     * @param newHeight in pixels, at least 1
     * @return the resized image; this one if the size is the same
     * @throws InvalidOptionException if a size is below 1 or the result would not fit an array
     */
    public Image resize(int newWidth, int newHeight) {
        return resize(newWidth, newHeight, ResizeFilter.BICUBIC);
    }

    /**
     * This image in another size, to the byte as Pillow's {@code resize((width, height), filter)}, with antialiasing.
     *
     * @param newWidth in pixels, at least 1
     * @param newHeight in pixels, at least 1
     * @param filter Pillow's of this name
     * @return the resized image; this one if the size is the same
     * @throws InvalidOptionException if a size is below 1 or the result would not fit an array
     */
    public Image resize(int newWidth, int newHeight, ResizeFilter filter) {
        Objects.requireNonNull(filter, "filter");
        return new Resize(ResizeKernel.PILLOW, filter).resize(this, newWidth, newHeight);
    }

    /** The pixels themselves, for this package, which only reads them. */
    byte[] array() {
        return rgb;
    }

    /**
     * Images are equal if size and all pixels are.
     *
     * @param other anything
     */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Image image
                && width == image.width
                && height == image.height
                && Arrays.equals(rgb, image.rgb);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * width + height) + Arrays.hashCode(rgb);
    }

    /** {@code Image[640x480]}. */
    @Override
    public String toString() {
        return "Image[" + width + "x" + height + "]";
    }
}
