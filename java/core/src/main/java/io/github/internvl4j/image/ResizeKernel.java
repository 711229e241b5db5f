package io.github.internvl4j.image;

/**
 * Whose fixed point an image is resized in. Both have the same weights and passes; they differ in how many bits a weight has behind
 * the point, and so by up to two levels of a pixel.
 */
enum ResizeKernel {
    /** {@code Image.resize} of Pillow. */
    PILLOW {
        @Override
        int fractionBits(double largestWeight) {
            return MAX_FRACTION_BITS;
        }

        /** Strips that are over 100 times as tall as wide (Image.py, resize). */
        @Override
        boolean columnsFirst(Image image, int height) {
            return image.height() > 100L * image.width() && height < image.height();
        }
    },

    /**
     * {@code resize} of torchvision on 8-bit tensors, with antialiasing (PyTorch, UpSampleKernelAVXAntialias.h and
     * _compute_index_ranges_int16_weights in UpSampleKernel.cpp): a weight is 16 bits wide, with as many bits behind the
     * point as the largest of the pass leaves.
     */
    TORCHVISION {
        @Override
        int fractionBits(double largestWeight) {
            int bits = 0;
            while (bits < MAX_FRACTION_BITS && (int) (0.5 + largestWeight * (1 << bits + 1)) < 1 << 15) {
                bits++;
            }
            return bits;
        }

        @Override
        boolean columnsFirst(Image image, int height) {
            return false;
        }
    };

    /** 32 bits less 8 for the pixel and 2 for the sum of weights that overshoot. */
    private static final int MAX_FRACTION_BITS = 32 - 8 - 2;

    /** How many bits a pass's weights have behind the point. */
    abstract int fractionBits(double largestWeight);

    /** Whether an image that gets this height is resized along its columns before its rows. */
    abstract boolean columnsFirst(Image image, int height);
}
