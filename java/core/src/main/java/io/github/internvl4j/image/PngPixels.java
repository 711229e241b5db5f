package io.github.internvl4j.image;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The pixels of a restored PNG row as 8-bit RGB, as Pillow's {@code convert("RGB")} makes them: shallow gray is
 * stretched to 0..255, 16-bit gray is clipped at 255 (its mode is "I;16"), every other 16-bit value keeps its high
 * byte, alpha is dropped.
 */
final class PngPixels {
    private static final int GRAY = 0;
    private static final int RGB = 2;
    private static final int PALETTE = 3;
    private static final int GRAY_ALPHA = 4;
    private static final int RGB_ALPHA = 6;

    private final int depth;
    private final int channels;
    private final boolean color;
    private final boolean clipped;

    /** Of gray and palette pixels up to 8 bits: the RGB bytes of each value; null for others. */
    private final byte @Nullable [] table;

    /**
     * Rules for one image.
     *
     * @param colorType of the header
     * @param depth bits a channel, of the header
     * @param palette RGB triples, or null if the file has none
     * @throws IOException if there is no such combination, or a palette image has no palette
     */
    PngPixels(int colorType, int depth, byte @Nullable [] palette) throws IOException {
        this.depth = depth;
        this.channels = switch (colorType) {
            case GRAY, PALETTE -> 1;
            case GRAY_ALPHA -> 2;
            case RGB -> 3;
            case RGB_ALPHA -> 4;
            default -> 0;
        };
        boolean shallow = depth == 1 || depth == 2 || depth == 4;
        boolean known = depth == 8 || depth == 16 && colorType != PALETTE || shallow && channels == 1;
        if (channels == 0 || !known) {
            throw new IOException("its colour type " + colorType + " with " + depth + " bits is unknown");
        }
        this.color = channels >= 3;
        this.clipped = colorType == GRAY && depth == 16;
        if (colorType == PALETTE) {
            if (palette == null) {
                throw new IOException("its palette is missing");
            }
            this.table = Palettes.padded(palette);
        } else {
            this.table = channels == 1 && depth <= 8 ? Palettes.gray(1 << depth) : null;
        }
    }

    /** Bytes of a row of this many pixels, without the filter's number. */
    int rowBytes(int columns) throws IOException {
        long bytes = ((long) columns * channels * depth + 7) / 8;
        if (bytes > Integer.MAX_VALUE - 16) {
            throw new IOException("its rows are too long");
        }
        return (int) bytes;
    }

    /** Bytes from a pixel to the one on its left, as the filters count: at least 1. */
    int filterDistance() {
        return Math.max(1, channels * depth / 8);
    }

    /**
     * Converts a row.
     *
     * @param row the filter's number, then the restored bytes
     * @param columns how many pixels
     * @param rgb where to
     * @param at the first pixel's place there
     * @param step bytes from one pixel's place to the next's, 3 unless interlaced
     */
    void toRgb(byte[] row, int columns, byte[] rgb, int at, int step) {
        if (table != null) {
            lookUp(table, row, columns, rgb, at, step);
            return;
        }
        int bytes = depth / 8;
        int stride = channels * bytes;
        int to = at;
        for (int x = 0, from = 1; x < columns; x++, from += stride, to += step) {
            if (color) {
                rgb[to] = row[from];
                rgb[to + 1] = row[from + bytes];
                rgb[to + 2] = row[from + 2 * bytes];
            } else {
                byte gray = !clipped ? row[from] : row[from] != 0 ? (byte) 255 : row[from + 1];
                rgb[to] = gray;
                rgb[to + 1] = gray;
                rgb[to + 2] = gray;
            }
        }
    }

    private void lookUp(byte[] colors, byte[] row, int columns, byte[] rgb, int at, int step) {
        int mask = (1 << depth) - 1;
        int to = at;
        for (int x = 0; x < columns; x++, to += step) {
            int bit = x * depth;
            int value = row[1 + (bit >> 3)] >> 8 - depth - (bit & 7) & mask;
            rgb[to] = colors[3 * value];
            rgb[to + 1] = colors[3 * value + 1];
            rgb[to + 2] = colors[3 * value + 2];
        }
    }
}
