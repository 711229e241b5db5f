package io.github.internvl4j.image;

/**
 * The weights of a filter along one axis (Pillow, Resample.c: precompute_coeffs and normalize_coeffs_8bpc;
 * PyTorch took them over). Output pixel {@code i} is the sum of the input pixels {@code first[i] .. first[i] + count[i]
 * - 1} times {@code weights[i * taps ...]}, in fixed point with {@code bits} bits behind the point.
 *
 * @param taps the stride of the weights: the most input pixels an output pixel has
 * @param first the first input pixel of each output pixel
 * @param count how many input pixels
 * @param weights fixed point
 * @param bits behind the point
 */
record ResizeWeights(int taps, int[] first, int[] count, int[] weights, int bits) {
    /**
     * Weights from one size to another. When shrinking, the filter widens with the scale, which is the antialiasing.
     *
     * @param from input pixels, at least 1
     * @param to output pixels, at least 1
     * @param resize which filter, and in which fixed point
     * @return the weights
     */
    static ResizeWeights of(int from, int to, Resize resize) {
        double scale = (double) from / to;
        double filterScale = Math.max(scale, 1);
        double support = resize.filter().support() * filterScale;
        int taps = (int) Math.ceil(support) * 2 + 1;
        int[] first = new int[to];
        int[] count = new int[to];
        double[] exact = new double[Math.multiplyExact(to, taps)];
        double largest = 0;
        for (int i = 0; i < to; i++) {
            double center = (i + 0.5) * scale;
            first[i] = Math.max(0, (int) (center - support + 0.5));
            count[i] = Math.min(from, (int) (center + support + 0.5)) - first[i];
            largest = Math.max(
                    largest, fill(resize.filter(), exact, i * taps, first[i], count[i], center, 1 / filterScale));
        }
        int bits = resize.kernel().fractionBits(largest);
        int[] weights = new int[exact.length];
        for (int k = 0; k < weights.length; k++) {
            weights[k] = (int) ((exact[k] < 0 ? -0.5 : 0.5) + exact[k] * (1 << bits));
        }
        return new ResizeWeights(taps, first, count, weights, bits);
    }

    /** The weights of one output pixel, which sum up to 1; returns the largest. */
    private static double fill(
            ResizeFilter filter, double[] exact, int at, int first, int count, double center, double step) {
        double sum = 0;
        for (int k = 0; k < count; k++) {
            exact[at + k] = filter.weight((k + first - center + 0.5) * step);
            sum += exact[at + k];
        }
        double largest = 0;
        for (int k = at; k < at + count; k++) {
            exact[k] = sum == 0 ? exact[k] : exact[k] / sum;
            largest = Math.max(largest, exact[k]);
        }
        return largest;
    }
}
