package io.github.internvl4j.image;

/**
 * From JPEG components to RGB with libjpeg's integer arithmetic (jdcolor.c: 16-bit fixed point, rounded), and for four
 * components Pillow's: the values are taken as inverted, as Adobe writes them, and converted as its CMYK to RGB.
 */
final class JpegColors {
    private static final int HALF = 1 << 15;
    private static final int[] CR_RED = new int[256];
    private static final int[] CB_BLUE = new int[256];
    private static final int[] CR_GREEN = new int[256];
    private static final int[] CB_GREEN = new int[256];

    static {
        for (int i = 0; i < 256; i++) {
            int x = i - 128;
            CR_RED[i] = fixed(1.40200) * x + HALF >> 16;
            CB_BLUE[i] = fixed(1.77200) * x + HALF >> 16;
            CR_GREEN[i] = -fixed(0.71414) * x;
            CB_GREEN[i] = -fixed(0.34414) * x + HALF;
        }
    }

    private JpegColors() {}

    private static int fixed(double value) {
        return (int) (value * 65536 + 0.5);
    }

    /** Converts interleaved Y, Cb, Cr to R, G, B in place. */
    static void yccToRgb(byte[] pixels, int from, int to) {
        for (int i = from; i < to; i += 3) {
            int y = pixels[i] & 0xff;
            int cb = pixels[i + 1] & 0xff;
            int cr = pixels[i + 2] & 0xff;
            pixels[i] = clamp(y + CR_RED[cr]);
            pixels[i + 1] = clamp(y + (CB_GREEN[cb] + CR_GREEN[cr] >> 16));
            pixels[i + 2] = clamp(y + CB_BLUE[cb]);
        }
    }

    /**
     * Converts interleaved C, M, Y, K, as a file stores them, to R, G, B.
     *
     * @param pixels four bytes a pixel
     * @param ycck whether the first three are Y, Cb, Cr of the inverted colours
     * @param rgb where to, three bytes a pixel
     */
    static void cmykToRgb(byte[] pixels, boolean ycck, byte[] rgb) {
        byte[] inks = new byte[3];
        for (int i = 0, to = 0; i < pixels.length; i += 4) {
            System.arraycopy(pixels, i, inks, 0, 3);
            if (ycck) {
                yccToRgb(inks, 0, 3);
                for (int c = 0; c < 3; c++) {
                    inks[c] = (byte) ~inks[c];
                }
            }
            int white = pixels[i + 3] & 0xff;
            for (int c = 0; c < 3; c++) {
                int ink = ~inks[c] & 0xff;
                int product = ink * white + 128;
                rgb[to++] = (byte) (white - ((product >> 8) + product >> 8)); // white - ink * white / 255, rounded
            }
        }
    }

    private static byte clamp(int value) {
        return (byte) Math.max(0, Math.min(255, value));
    }
}
