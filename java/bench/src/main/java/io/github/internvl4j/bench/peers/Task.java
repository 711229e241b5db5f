package io.github.internvl4j.bench.peers;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;

/**
 * What both sides compute.
 *
 * @param shape m x n x k of a product (m rows of activations), else a name in resources/shapes
 * @param tokens of the prompt, or behind which is decoded
 */
record Task(Kind kind, String shape, int tokens) {
    enum Kind {
        MATMUL("GFLOP/s"),
        PREFILL("tokens/s"),
        DECODE("tokens/s"),
        VISION("images/s");

        private final String unit;

        Kind(String unit) {
            this.unit = unit;
        }

        String unit() {
            return unit;
        }

        @JsonValue
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    static Task matmul(int m, int n, int k) {
        return new Task(Kind.MATMUL, "%dx%dx%d".formatted(m, n, k), 0);
    }

    static Task prefill(String shape, int tokens) {
        return new Task(Kind.PREFILL, shape, tokens);
    }

    static Task decode(String shape, int past) {
        return new Task(Kind.DECODE, shape, past);
    }

    static Task vision(String shape) {
        return new Task(Kind.VISION, shape, 0);
    }

    /** The same of a shape that is next to nothing. */
    Task tiny() {
        return kind == Kind.MATMUL ? matmul(16, 128, 64) : new Task(kind, "tiny", tokens);
    }

    /** m, n and k of a product. */
    long[] sizes() {
        return Arrays.stream(shape.split("x")).mapToLong(Long::parseLong).toArray();
    }

    /** A run of these seconds in the kind's unit. */
    double speed(double seconds) {
        return switch (kind) {
            case MATMUL -> 2e-9 * Arrays.stream(sizes()).reduce(1, (a, b) -> a * b) / seconds;
            case PREFILL -> tokens / seconds;
            case DECODE, VISION -> 1 / seconds;
        };
    }

    @Override
    public String toString() {
        return switch (kind) {
            case MATMUL -> "matmul " + shape;
            case PREFILL -> "%s prefill %d".formatted(shape, tokens);
            case DECODE -> "%s decode at %d".formatted(shape, tokens);
            case VISION -> shape + " image";
        };
    }
}
