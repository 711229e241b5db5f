package io.github.internvl4j.image;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.Chunks;
import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * {@code Image.resize(size, filter)} of Pillow on RGB, or torchvision's resize of 8-bit tensors, bit for bit: along rows first, then
 * along columns, each in fixed point and rounded to 8 bits (Pillow, Resample.c: ImagingResampleHorizontal_8bpc and Vertical). An axis
 * that keeps its size is left out, as there.
 *
 * @param kernel whose fixed point
 * @param filter the weights in it
 */
record Resize(ResizeKernel kernel, ResizeFilter filter) {
    static final Resize PILLOW = new Resize(ResizeKernel.PILLOW, ResizeFilter.BICUBIC);
    static final Resize TORCHVISION = new Resize(ResizeKernel.TORCHVISION, ResizeFilter.BICUBIC);

    /** Below this many multiplications threads cost more than they save. */
    private static final long PARALLEL_WORK = 4_000_000;

    private static final int ROWS_A_TASK = 16;

    Image resize(Image image, int width, int height) {
        if (width < 1 || height < 1) {
            throw new InvalidOptionException("an image cannot be resized to " + width + "x" + height + " pixels");
        }
        checkSize(image, width, height);
        if (kernel.columnsFirst(image, height)) {
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

    private Image horizontal(Image image, int width) {
        if (width == image.width()) {
            return image;
        }
        ResizeWeights weights = ResizeWeights.of(image.width(), width, this);
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
        int bits = weights.bits();
        int half = half(bits);
        int to = outAt;
        for (int x = 0; x < first.length; x++) {
            int red = half;
            int green = half;
            int blue = half;
            int from = inAt + 3 * first[x];
            int end = x * taps + count[x];
            for (int k = x * taps; k < end; k++, from += 3) {
                int w = weight[k];
                red += (in[from] & 0xff) * w;
                green += (in[from + 1] & 0xff) * w;
                blue += (in[from + 2] & 0xff) * w;
            }
            out[to++] = clip(red, bits);
            out[to++] = clip(green, bits);
            out[to++] = clip(blue, bits);
        }
    }

    private Image vertical(Image image, int height) {
        if (height == image.height()) {
            return image;
        }
        ResizeWeights weights = ResizeWeights.of(image.height(), height, this);
        byte[] in = image.array();
        int stride = 3 * image.width();
        byte[] out = new byte[stride * height];
        forRows(height, (long) stride * weights.taps(), y -> column(in, out, y, stride, weights));
        return new Image(image.width(), height, out);
    }

    /** One output row: the weighted sum of whole input rows, a loop that the compiler turns into vectors. */
    private static void column(byte[] in, byte[] out, int y, int stride, ResizeWeights weights) {
        int bits = weights.bits();
        int[] sums = new int[stride];
        Arrays.fill(sums, half(bits));
        for (int k = 0; k < weights.count()[y]; k++) {
            int w = weights.weights()[y * weights.taps() + k];
            int from = (weights.first()[y] + k) * stride;
            for (int i = 0; i < stride; i++) {
                sums[i] += (in[from + i] & 0xff) * w;
            }
        }
        for (int i = 0; i < stride; i++) {
            out[y * stride + i] = clip(sums[i], bits);
        }
    }

    /** One half in fixed point, which makes the shift of a sum round. */
    private static int half(int bits) {
        return 1 << bits - 1;
    }

    private static byte clip(int sum, int bits) {
        return (byte) Math.max(0, Math.min(255, sum >> bits));
    }

    /** Runs a row's work for every row, on several threads if it is much. The result does not depend on it. */
    private static void forRows(int rows, long workARow, IntConsumer work) {
        int rowsATask = rows * workARow < PARALLEL_WORK ? rows : ROWS_A_TASK;
        Chunks.run((rows + rowsATask - 1) / rowsATask, task -> {
            int end = Math.min(rows, (task + 1) * rowsATask);
            for (int y = task * rowsATask; y < end; y++) {
                work.accept(y);
            }
        });
    }
}
