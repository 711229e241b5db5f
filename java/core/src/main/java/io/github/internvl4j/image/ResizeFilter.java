package io.github.internvl4j.image;

/** How much the pixels around a point count when an image is resized: Pillow's filters of the same names. */
public enum ResizeFilter {
    /** Keys' cubic convolution kernel with a = -0.5: Pillow's default. */
    BICUBIC(2) {
        @Override
        double weight(double distance) {
            double a = -0.5;
            double x = Math.abs(distance);
            if (x < 1) {
                return ((a + 2) * x - (a + 3)) * x * x + 1;
            }
            return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
        }
    },

    /** A triangle. */
    BILINEAR(1) {
        @Override
        double weight(double distance) {
            double x = Math.abs(distance);
            return x < 1 ? 1 - x : 0;
        }
    };

    private final double support;

    ResizeFilter(double support) {
        this.support = support;
    }

    /** Where it ends, in pixels from the point on either side. */
    double support() {
        return support;
    }

    /** Before all of a point's are divided by their sum. */
    abstract double weight(double distance);
}
