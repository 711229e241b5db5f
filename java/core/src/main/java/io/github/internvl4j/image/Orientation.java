package io.github.internvl4j.image;

import com.drew.imaging.ImageMetadataReader;
import com.drew.imaging.ImageProcessingException;
import com.drew.lang.ByteArrayReader;
import com.drew.metadata.Metadata;
import com.drew.metadata.exif.ExifIFD0Directory;
import com.drew.metadata.exif.ExifReader;
import com.drew.metadata.xmp.XmpDirectory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The eight ways a camera can be held, by their EXIF numbers, and how a stored image is put upright: where in the
 * stored image each upright row begins, and the steps along and down.
 */
enum Orientation {
    UPRIGHT(false, false, false),
    MIRRORED(false, true, false),
    UPSIDE_DOWN(false, true, true),
    FLIPPED(false, false, true),
    TRANSPOSED(true, false, false),
    ROTATE_RIGHT(true, false, true),
    TRANSVERSE(true, true, true),
    ROTATE_LEFT(true, true, false);

    private static final Pattern XMP_PROPERTY = Pattern.compile("tiff:Orientation(?:=\"|>)([0-9])");

    /** Whether rows become columns. */
    private final boolean swapped;

    /** Whether the stored image's x runs backwards as the upright image is walked. */
    private final boolean fromRight;

    /** Whether the stored image's y runs backwards. */
    private final boolean fromBottom;

    Orientation(boolean swapped, boolean fromRight, boolean fromBottom) {
        this.swapped = swapped;
        this.fromRight = fromRight;
        this.fromBottom = fromBottom;
    }

    /**
     * The orientation a file asks for: its EXIF tag, or the XMP property if EXIF has none.
     *
     * @param encoded the bytes of the file
     * @return {@link #UPRIGHT} if it says nothing, something unknown, or its metadata cannot be read
     */
    static Orientation of(byte[] encoded) {
        try {
            if (new ByteSource(encoded).startsWith(0, 0x89, 'P', 'N', 'G')) {
                return of(PngMetadata.read(encoded));
            }
            Metadata metadata = ImageMetadataReader.readMetadata(new ByteArrayInputStream(encoded), encoded.length);
            for (ExifIFD0Directory directory : metadata.getDirectoriesOfType(ExifIFD0Directory.class)) {
                Integer value = directory.getInteger(ExifIFD0Directory.TAG_ORIENTATION);
                if (value != null) {
                    return numbered(value);
                }
            }
            for (XmpDirectory directory : metadata.getDirectoriesOfType(XmpDirectory.class)) {
                String value = directory.getXmpProperties().get("tiff:Orientation");
                if (value != null && value.matches("[0-9]")) {
                    return numbered(Integer.parseInt(value));
                }
            }
            return UPRIGHT;
        } catch (ImageProcessingException | IOException | RuntimeException e) {
            return UPRIGHT; // The pixels were readable; damaged metadata say nothing.
        }
    }

    private static Orientation of(PngMetadata png) {
        byte[] exif = png.exif();
        if (exif != null) {
            Metadata metadata = new Metadata();
            new ExifReader().extract(new ByteArrayReader(exif), metadata);
            for (ExifIFD0Directory directory : metadata.getDirectoriesOfType(ExifIFD0Directory.class)) {
                Integer value = directory.getInteger(ExifIFD0Directory.TAG_ORIENTATION);
                if (value != null) {
                    return numbered(value);
                }
            }
        }
        Matcher property = XMP_PROPERTY.matcher(String.valueOf(png.xmp()));
        return property.find() ? numbered(Integer.parseInt(property.group(1))) : UPRIGHT;
    }

    /** The orientation of an EXIF number from 1 to 8; upright for any other. */
    static Orientation numbered(int number) {
        return number >= 1 && number <= 8 ? values()[number - 1] : UPRIGHT;
    }

    /** The image put upright. */
    Image apply(Image stored) {
        if (this == UPRIGHT) {
            return stored;
        }
        int storedWidth = stored.width();
        int storedHeight = stored.height();
        int width = swapped ? storedHeight : storedWidth;
        int height = swapped ? storedWidth : storedHeight;
        int stepX = fromRight ? -3 : 3;
        int stepY = fromBottom ? -3 * storedWidth : 3 * storedWidth;
        int start = (fromRight ? 3 * (storedWidth - 1) : 0) + (fromBottom ? 3 * storedWidth * (storedHeight - 1) : 0);
        int along = swapped ? stepY : stepX;
        int down = swapped ? stepX : stepY;
        byte[] from = stored.array();
        byte[] to = new byte[from.length];
        int out = 0;
        for (int y = 0; y < height; y++) {
            int at = start + y * down;
            for (int x = 0; x < width; x++) {
                to[out++] = from[at];
                to[out++] = from[at + 1];
                to[out++] = from[at + 2];
                at += along;
            }
        }
        return new Image(width, height, to);
    }
}
