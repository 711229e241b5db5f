package io.github.internvl4j.image;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.Pieces;
import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * Pillow's {@code Image.resize(size)} with its default filter on RGB, bit for bit: along rows first, then along
 * columns, each in fixed point and rounded to 8 bits (Pillow, Resample.c: ImagingResampleHorizontal_8bpc and
 * Vertical). An axis that keeps its size is left out, as there.
 */
final class BicubicResize {
    private static final int ONE_HALF = 1 << ResizeWeights.FRACTION_BITS - 1;

    /** Below this many multiplications threads cost more than they save. */
    private static final long PARALLEL_WORK = 4_000_000;

    private static final int ROWS_A_TASK = 16;

    private BicubicResize() {}

    static Image resize(Image image, int width, int height) {
        // Pillow does strips that are over 100 times as tall as wide columns first (Image.py, resize).
        boolean columnsFirst = image.height() > 100L * image.width() && height < image.height();
        if (width < 1 || height < 1) {
            throw new InvalidOptionException("a picture cannot be resized to " + width + "x" + height + " pixels");
        }
        checkSize(image, width, height);
        if (columnsFirst) {
            return horizontal(vertical(image, height), width);
        }
        checkSize(image, width, image.height());
        return vertical(horizontal(image, width), height);
    }

    private static void checkSize(Image image, int width, int height) {
        if (3L * width * height > Integer.MAX_VALUE - 8) {
            throw new InvalidOptionException(
                    image + " cannot be resized: " + width + "x" + height + " pixels are too many");
        }
    }

    private static Image horizontal(Image image, int width) {
        if (width == image.width()) {
            return image;
        }
        ResizeWeights weights = ResizeWeights.of(image.width(), width);
        byte[] in = image.array();
        byte[] out = new byte[3 * width * image.height()];
        int inStride = 3 * image.width();
        forRows(image.height(), 3L * width * weights.taps(), y -> row(in, y * inStride, out, 3 * width * y, weights));
        return new Image(width, image.height(), out);
    }

    private static void row(byte[] in, int inAt, byte[] out, int outAt, ResizeWeights weights) {
        int[] first = weights.first();
        int[] count = weights.count();
        int[] weight = weights.weights();
        int taps = weights.taps();
        int to = outAt;
        for (int x = 0; x < first.length; x++) {
            int red = ONE_HALF;
            int green = ONE_HALF;
            int blue = ONE_HALF;
            int from = inAt + 3 * first[x];
            int end = x * taps + count[x];
            for (int k = x * taps; k < end; k++, from += 3) {
                int w = weight[k];
                red += (in[from] & 0xff) * w;
                green += (in[from + 1] & 0xff) * w;
                blue += (in[from + 2] & 0xff) * w;
            }
            out[to++] = clip(red);
            out[to++] = clip(green);
            out[to++] = clip(blue);
        }
    }

    private static Image vertical(Image image, int height) {
        if (height == image.height()) {
            return image;
        }
        ResizeWeights weights = ResizeWeights.of(image.height(), height);
        byte[] in = image.array();
        int stride = 3 * image.width();
        byte[] out = new byte[stride * height];
        forRows(height, (long) stride * weights.taps(), y -> column(in, out, y, stride, weights));
        return new Image(image.width(), height, out);
    }

    /** One output row: the weighted sum of whole input rows, a loop that the compiler turns into vectors. */
    private static void column(byte[] in, byte[] out, int y, int stride, ResizeWeights weights) {
        int[] sums = new int[stride];
        Arrays.fill(sums, ONE_HALF);
        for (int k = 0; k < weights.count()[y]; k++) {
            int w = weights.weights()[y * weights.taps() + k];
            int from = (weights.first()[y] + k) * stride;
            for (int i = 0; i < stride; i++) {
                sums[i] += (in[from + i] & 0xff) * w;
            }
        }
        for (int i = 0; i < stride; i++) {
            out[y * stride + i] = clip(sums[i]);
        }
    }

    private static byte clip(int sum) {
        return (byte) Math.max(0, Math.min(255, sum >> ResizeWeights.FRACTION_BITS));
    }

    /** Runs a row's work for every row, on several threads if it is much. The result does not depend on it. */
    private static void forRows(int rows, long workARow, IntConsumer work) {
        int rowsATask = rows * workARow < PARALLEL_WORK ? rows : ROWS_A_TASK;
        Pieces.run((rows + rowsATask - 1) / rowsATask, task -> {
            int end = Math.min(rows, (task + 1) * rowsATask);
            for (int y = task * rowsATask; y < end; y++) {
                work.accept(y);
            }
        });
    }
}
