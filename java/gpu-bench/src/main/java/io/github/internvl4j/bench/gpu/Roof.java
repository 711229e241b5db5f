package io.github.internvl4j.bench.gpu;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a GPU can do at most.
 *
 * @param bytesPerSecond of its memory, measured
 * @param operationsPerSecond of its tensor cores in bf16, nominal; int8 is twice as fast
 */
record Roof(double bytesPerSecond, double operationsPerSecond) {
    private static final Pattern LINE = Pattern.compile(": (\\d+) GB/s measured, (\\d+) TFLOP/s nominal");

    /** From the line that internvl4j_gpu_bench begins with. */
    static Optional<Roof> in(String text) {
        Matcher line = LINE.matcher(text);
        return line.find()
                ? Optional.of(new Roof(Double.parseDouble(line.group(1)) * 1e9, Double.parseDouble(line.group(2)) * 1e12))
                : Optional.empty();
    }

    /** The least microseconds that the work can take. */
    double floor(Work work, DataType type) {
        double operations = type == DataType.INT8 ? 2 * operationsPerSecond : operationsPerSecond;
        return 1e6 * Math.max(work.bytes() / bytesPerSecond, work.operations() / operations);
    }
}
