package io.github.internvl4j.image;

/**
 * The weights of Pillow's bicubic filter along one axis (Pillow, Resample.c: precompute_coeffs and
 * normalize_coeffs_8bpc). Output pixel {@code i} is the sum of the input pixels {@code first[i] .. first[i] + count[i]
 * - 1} times {@code weights[i * taps ...]}, in fixed point with {@link #FRACTION_BITS} bits behind the point.
 *
 * @param taps the stride of the weights: the most input pixels an output pixel has
 * @param first the first input pixel of each output pixel
 * @param count how many input pixels
 * @param weights fixed point
 */
record ResizeWeights(int taps, int[] first, int[] count, int[] weights) {
    /** 32 bits less 8 for the pixel and 2 for the sum of weights that overshoot. */
    static final int FRACTION_BITS = 32 - 8 - 2;

    private static final double SUPPORT = 2;

    /**
     * Weights from one size to another. When shrinking, the filter widens with the scale, which is the antialiasing.
     *
     * @param from input pixels, at least 1
     * @param to output pixels, at least 1
     * @return the weights
     */
    static ResizeWeights of(int from, int to) {
        double scale = (double) from / to;
        double filterScale = Math.max(scale, 1);
        double support = SUPPORT * filterScale;
        int taps = (int) Math.ceil(support) * 2 + 1;
        int[] first = new int[to];
        int[] count = new int[to];
        int[] weights = new int[Math.multiplyExact(to, taps)];
        double[] exact = new double[taps];
        for (int i = 0; i < to; i++) {
            double center = (i + 0.5) * scale;
            double step = 1 / filterScale;
            first[i] = Math.max(0, (int) (center - support + 0.5));
            count[i] = Math.min(from, (int) (center + support + 0.5)) - first[i];
            double sum = 0;
            for (int k = 0; k < count[i]; k++) {
                exact[k] = bicubic((k + first[i] - center + 0.5) * step);
                sum += exact[k];
            }
            for (int k = 0; k < count[i]; k++) {
                double weight = sum == 0 ? exact[k] : exact[k] / sum;
                weights[i * taps + k] = (int) ((weight < 0 ? -0.5 : 0.5) + weight * (1 << FRACTION_BITS));
            }
        }
        return new ResizeWeights(taps, first, count, weights);
    }

    /** Keys' cubic convolution kernel with a = -0.5. */
    private static double bicubic(double distance) {
        double a = -0.5;
        double x = Math.abs(distance);
        if (x < 1) {
            return ((a + 2) * x - (a + 3)) * x * x + 1;
        }
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    }
}
