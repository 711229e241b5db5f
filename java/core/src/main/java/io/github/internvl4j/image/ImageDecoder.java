package io.github.internvl4j.image;

import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.host.FirstUse;
import io.github.internvl4j.host.Shortage;
import java.io.IOException;

/** From the bytes of a file of any known format to an image, or an {@link ImageException} that says why not. */
final class ImageDecoder {
    /** Decodes one format. Any {@link IOException} or {@link RuntimeException} means a bad file. */
    private interface Format {
        Image decode(ByteSource source, ReadOptions options) throws IOException;
    }

    private ImageDecoder() {}

    static Image decode(byte[] encoded, String name, ReadOptions options) {
        if (encoded.length == 0) {
            throw new ImageException(name + " is empty, not an image");
        }
        String shortage = FirstUse.shortage();
        if (shortage != null) {
            throw new ImageException(name + " cannot be read: " + shortage);
        }
        ByteSource source = new ByteSource(encoded);
        String kind;
        // No method references: those would load the decoders' classes here, where nobody catches that they cannot be.
        Format format;
        if (source.startsWith(0, 0xff, 0xd8, 0xff)) {
            kind = "JPEG";
            format = (file, how) -> JpegDecoder.decode(file, how);
        } else if (source.startsWith(0, 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n')) {
            kind = "PNG";
            format = (file, how) -> PngDecoder.decode(file, how);
        } else if (source.startsWith(0, 'G', 'I', 'F', '8', '7', 'a')
                || source.startsWith(0, 'G', 'I', 'F', '8', '9', 'a')) {
            kind = "GIF";
            format = (file, how) -> GifDecoder.decode(file, how);
        } else if (source.startsWith(0, 'R', 'I', 'F', 'F') && source.startsWith(8, 'W', 'E', 'B', 'P')) {
            kind = "WebP";
            format = (file, how) -> WebpDecoder.decode(file, how);
        } else if (source.startsWith(0, 'B', 'M')) {
            kind = "BMP";
            format = (file, how) -> BmpDecoder.decode(file, how);
        } else {
            throw new ImageException(name + " is " + OtherFiles.describe(source));
        }
        Image image = decode(format, kind, source, name, options);
        return options.exifTranspose() ? upright(image, encoded, name) : image;
    }

    private static Image decode(Format format, String kind, ByteSource source, String name, ReadOptions options) {
        try {
            return format.decode(source, options);
        } catch (ImageException e) {
            throw e;
        } catch (IOException e) {
            throw new ImageException(name + " cannot be read as " + kind + ": " + e.getMessage(), e);
        } catch (LinkageError | IllegalCallerException e) {
            throw new ImageException(name + " cannot be read as " + kind + ": " + Desktop.reason(e), e);
        } catch (RuntimeException e) {
            // ImageIO and the WebP wrapper throw all sorts on bad data.
            throw new ImageException(name + " cannot be read as " + kind + ": the data are damaged (" + e + ")", e);
        } catch (OutOfMemoryError e) {
            throw new ImageException(name + " cannot be read as " + kind + ": " + Shortage.of(e), e);
        }
    }

    private static Image upright(Image image, byte[] encoded, String name) {
        try {
            return Orientation.of(encoded).apply(image);
        } catch (LinkageError e) {
            throw new ImageException(name + " cannot be turned upright: " + Desktop.reason(e), e);
        } catch (OutOfMemoryError e) {
            throw new ImageException(name + " cannot be turned upright: " + Shortage.of(e), e);
        }
    }

    /**
     * The bytes that an image's RGB pixels need, once the size a file claims is within the limit.
     *
     * @param width as the file has it
     * @param height as the file has it
     * @param options with the limit
     * @return {@code 3 * width * height}
     * @throws IOException if a size is 0 or the limit is exceeded
     */
    static int checkedRgbBytes(long width, long height, ReadOptions options) throws IOException {
        if (width <= 0 || height <= 0) {
            throw new IOException("its size is " + width + "x" + height + " pixels");
        }
        if (width > options.maxPixels() / height) {
            throw new IOException(
                    "its " + width + "x" + height + " pixels are more than the limit of " + options.maxPixels());
        }
        return (int) (3 * width * height);
    }
}
