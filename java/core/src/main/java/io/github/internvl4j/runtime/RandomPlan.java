package io.github.internvl4j.runtime;

import io.github.internvl4j.Device;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.error.UnsupportedModelException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a model would need on the CPU whose configuration alone is there, in MiB, rounded up. The library plans it before it makes a
 * model of random weights, and tells the plan when it does not fit: so it is given too little.
 *
 * @param weights in the precision
 * @param kvCache one sequence of the context
 * @param scratch activations of a piece of prompt, and the kernels' own
 * @param pictures pixels and activations of pictures that are encoded together
 */
public record RandomPlan(long weights, long kvCache, long scratch, long pictures) {
    private static final Pattern PARTS =
            Pattern.compile("\\(weights (\\d+), KV cache (\\d+), scratch (\\d+), pictures (\\d+)\\)");

    /**
     * Asks the library; no memory is taken.
     *
     * @param configFile a bare config.json
     * @param options the precision and the context; the rest is one request at a time on the CPU
     * @throws UnsupportedModelException if the library does not run such a model
     */
    public static RandomPlan of(Path configFile, LoadOptions options) {
        try {
            NativeModel.beginRandom(configFile, options.device(Device.CPU).maxBatch(1).memoryLimit(1));
        } catch (InsufficientMemoryException refused) {
            Matcher parts = PARTS.matcher(String.valueOf(refused.getMessage()));
            if (parts.find()) {
                return new RandomPlan(number(parts, 1), number(parts, 2), number(parts, 3), number(parts, 4));
            }
            throw refused;
        }
        throw new IllegalStateException(configFile + " needs no memory");
    }

    /** Whether a model of random weights fits into what there is now. */
    public static boolean fitsNow(Path configFile, LoadOptions options) {
        try {
            NativeModel.beginRandom(configFile, options.device(Device.CPU).maxBatch(1));
            return true;
        } catch (InsufficientMemoryException refused) {
            return false;
        }
    }

    private static long number(Matcher parts, int group) {
        return Long.parseLong(parts.group(group));
    }

    /** All together. */
    public long total() {
        return weights + kvCache + scratch + pictures;
    }
}
