package io.github.internvl4j.image;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DirectColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;

/**
 * From AWT's images to ours. Gray is taken from the raster: {@code getRGB} passes it through a linear gray colour
 * space and is off by up to 73.
 */
final class BufferedImages {
    private BufferedImages() {}

    static Image toImage(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
        Raster raster = image.getRaster();
        ColorModel model = image.getColorModel();
        int gray = grayShift(model);
        boolean plain = gray < 0 && isPlainRgb(model);
        int[] row = new int[width * raster.getNumBands()];
        int to = 0;
        for (int y = 0; y < height; y++) {
            if (gray >= 0 || plain) {
                raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
                int bands = raster.getNumBands();
                for (int x = 0; x < width; x++) {
                    rgb[to++] = (byte) (row[x * bands] >> Math.max(0, gray));
                    rgb[to++] = (byte) (row[x * bands + (plain ? 1 : 0)] >> Math.max(0, gray));
                    rgb[to++] = (byte) (row[x * bands + (plain ? 2 : 0)] >> Math.max(0, gray));
                }
            } else {
                for (int x = 0; x < width; x++) {
                    int argb = image.getRGB(x, y);
                    rgb[to++] = (byte) (argb >> 16);
                    rgb[to++] = (byte) (argb >> 8);
                    rgb[to++] = (byte) argb;
                }
            }
        }
        return new Image(width, height, rgb);
    }

    /** For gray of 8 or 16 bits how far to shift to the high byte, -1 for anything else. */
    private static int grayShift(ColorModel model) {
        if (!(model instanceof ComponentColorModel) || model.getColorSpace().getType() != ColorSpace.TYPE_GRAY) {
            return -1;
        }
        return switch (model.getTransferType()) {
            case DataBuffer.TYPE_BYTE -> 0;
            case DataBuffer.TYPE_USHORT -> 8;
            default -> -1;
        };
    }

    /** Whether the raster's first three bands are 8-bit sRGB, alpha not multiplied in. */
    private static boolean isPlainRgb(ColorModel model) {
        if (model instanceof IndexColorModel
                || model.isAlphaPremultiplied()
                || !model.getColorSpace().isCS_sRGB()) {
            return false;
        }
        boolean known = model instanceof DirectColorModel
                || model instanceof ComponentColorModel && model.getTransferType() == DataBuffer.TYPE_BYTE;
        return known
                && model.getComponentSize(0) == 8
                && model.getComponentSize(1) == 8
                && model.getComponentSize(2) == 8;
    }
}
