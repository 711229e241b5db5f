package io.github.internvl4j.image;

import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The first image of a GIF (87a and 89a), on its whole screen.
 *
 * <p>As in Pillow: the screen grows to hold the image; the rest of the screen takes the transparent colour's index,
 * or 0; a colour table that is missing, or is the plain gray ramp, means gray levels; data for every row must be
 * there. Not ImageIO's, because it gives the image without its screen, and the rest of the screen is part of what Pillow shows.
 */
final class GifDecoder {
    private static final int EXTENSION = '!';
    private static final int IMAGE = ',';
    private static final int TRAILER = ';';
    private static final int GRAPHIC_CONTROL = 0xf9;

    private final ByteSource source;
    private byte @Nullable [] palette;
    private int background;

    private GifDecoder(ByteSource source) {
        this.source = source;
    }

    static Image decode(ByteSource source, ReadOptions options) throws IOException {
        return new GifDecoder(source).decode(options);
    }

    private Image decode(ReadOptions options) throws IOException {
        source.seek(6);
        int screenWidth = source.u16le();
        int screenHeight = source.u16le();
        int flags = source.u8();
        source.skip(2); // background colour, aspect ratio
        readPalette(flags);
        while (true) {
            int block = source.u8();
            if (block == EXTENSION) {
                readExtension();
            } else if (block == IMAGE) {
                return readImage(screenWidth, screenHeight, options);
            } else if (block == TRAILER) {
                throw new IOException("it holds no image");
            }
        }
    }

    private void readPalette(int flags) throws IOException {
        if ((flags & 0x80) != 0) {
            byte[] colors = source.bytes(3 << (flags & 7) + 1);
            palette = isGrayRamp(colors) ? null : colors;
        }
    }

    private static boolean isGrayRamp(byte[] colors) {
        for (int i = 0; i < colors.length; i++) {
            if (colors[i] != (byte) (i / 3)) {
                return false;
            }
        }
        return true;
    }

    private void readExtension() throws IOException {
        int label = source.u8();
        int size = source.u8();
        int begin = source.skip(size);
        if (label == GRAPHIC_CONTROL && size >= 4 && (source.array()[begin] & 1) != 0) {
            background = source.array()[begin + 3] & 0xff;
        }
        while (size != 0) {
            size = source.u8();
            source.skip(size);
        }
    }

    private Image readImage(int screenWidth, int screenHeight, ReadOptions options) throws IOException {
        int left = source.u16le();
        int top = source.u16le();
        int width = source.u16le();
        int height = source.u16le();
        int flags = source.u8();
        readPalette(flags);
        int totalWidth = Math.max(screenWidth, left + width);
        int totalHeight = Math.max(screenHeight, top + height);
        byte[] rgb = new byte[ImageDecoder.checkedRgbBytes(totalWidth, totalHeight, options)];
        if (width == 0 || height == 0) {
            throw new IOException("its image has no pixels");
        }

        byte[] colors = palette == null ? Palettes.gray(256) : Palettes.padded(palette);
        if (width != totalWidth || height != totalHeight) {
            fill(rgb, Arrays.copyOfRange(colors, 3 * background, 3 * background + 3));
        }
        LzwReader lzw = new LzwReader(source);
        byte[] row = new byte[width];
        boolean interlaced = (flags & 0x40) != 0;
        int[] starts = interlaced ? new int[] {0, 4, 2, 1} : new int[] {0};
        int[] steps = interlaced ? new int[] {8, 8, 4, 2} : new int[] {1};
        for (int pass = 0; pass < starts.length; pass++) {
            for (int y = starts[pass]; y < height; y += steps[pass]) {
                lzw.read(row);
                int to = 3 * ((top + y) * totalWidth + left);
                for (byte index : row) {
                    int from = 3 * (index & 0xff);
                    rgb[to++] = colors[from];
                    rgb[to++] = colors[from + 1];
                    rgb[to++] = colors[from + 2];
                }
            }
        }
        return new Image(totalWidth, totalHeight, rgb);
    }

    private static void fill(byte[] rgb, byte[] color) {
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = color[i % 3];
        }
    }
}
