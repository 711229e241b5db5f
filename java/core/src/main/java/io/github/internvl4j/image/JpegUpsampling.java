package io.github.internvl4j.image;

/**
 * Makes every Java runtime's JPEG alike where they differ: in components with half the rows and all the columns (4:4:0,
 * what turning a 4:2:2 photograph on its side gives). The JDK's own libjpeg 6b repeats their rows; libjpeg-turbo, which
 * Pillow and some builds of the JDK use, interpolates them (jdsample.c, h1v2_fancy_upsample).
 *
 * <p>Repeated rows still show the stored ones, so the interpolation can be made up for. If the runtime has interpolated
 * already and all pairs of rows are equal nevertheless, then neighbouring stored rows differ by at most -2 to 1 and
 * interpolating them again changes nothing; so the rows themselves tell what is to be done.
 */
final class JpegUpsampling {
    private JpegUpsampling() {}

    /**
     * Interpolates a component whose rows were only repeated.
     *
     * @param pixels all components, interleaved by pixel; changed in place
     * @param width in pixels
     * @param height in pixels
     * @param components bytes a pixel
     * @param component which one, from 0
     */
    static void interpolateRows(byte[] pixels, int width, int height, int components, int component) {
        int stride = width * components;
        for (int y = 1; y < height; y += 2) {
            for (int i = y * stride + component; i < (y + 1) * stride; i += components) {
                if (pixels[i] != pixels[i - stride]) {
                    return;
                }
            }
        }
        int storedRows = (height + 1) / 2;
        byte[] above = row(pixels, 0, width, stride, components, component);
        byte[] here = above;
        for (int k = 0; k < storedRows; k++) {
            byte[] below = k + 1 < storedRows ? row(pixels, k + 1, width, stride, components, component) : here;
            for (int x = 0; x < width; x++) {
                int at = 2 * k * stride + x * components + component;
                int three = 3 * (here[x] & 0xff);
                pixels[at] = (byte) (three + (above[x] & 0xff) + 1 >> 2);
                if (2 * k + 1 < height) {
                    pixels[at + stride] = (byte) (three + (below[x] & 0xff) + 2 >> 2);
                }
            }
            above = here;
            here = below;
        }
    }

    /** A stored row: the first of its two copies. */
    private static byte[] row(byte[] pixels, int stored, int width, int stride, int components, int component) {
        byte[] row = new byte[width];
        for (int x = 0, at = 2 * stored * stride + component; x < width; x++, at += components) {
            row[x] = pixels[at];
        }
        return row;
    }
}
