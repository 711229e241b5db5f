package io.github.internvl4j.cli;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.MemoryPlan;
import io.github.internvl4j.Precision;
import io.github.internvl4j.VisionPrecision;
import io.github.internvl4j.error.InvalidOptionException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The widest precision in which a checkpoint fits this machine now, and where it would run.
 *
 * @param fits whether it does; if not, it is the smallest that there is
 */
record Recommendation(Precision precision, VisionPrecision vision, MemoryPlan plan, boolean fits) {
    private static final double GIB = 1 << 30;

    private record Kept(Precision precision, VisionPrecision vision) {}

    private static final List<Kept> WIDEST_FIRST = List.of(
            new Kept(Precision.AUTO, VisionPrecision.AS_STORED),
            new Kept(Precision.INT8, VisionPrecision.AS_STORED),
            new Kept(Precision.INT8, VisionPrecision.INT8),
            new Kept(Precision.INT4, VisionPrecision.AS_STORED),
            new Kept(Precision.INT4, VisionPrecision.INT8));

    /** @param options whatever else is asked; the precision is not looked at */
    static Recommendation of(Path directory, LoadOptions options) {
        Recommendation smallest = null;
        for (Kept kept : WIDEST_FIRST) {
            MemoryPlan plan =
                    plan(directory, options.precision(kept.precision()).visionPrecision(kept.vision()));
            if (plan == null) {
                continue;
            }
            Recommendation found = new Recommendation(kept.precision(), kept.vision(), plan, plan.fits());
            if (found.fits()) {
                return found;
            }
            if (smallest == null || plan.total() < smallest.plan().total()) {
                smallest = found;
            }
        }
        if (smallest == null) {
            throw new IllegalStateException("a checkpoint has a plan as it is stored");
        }
        return smallest;
    }

    /** Null of a checkpoint that is quantized already, otherwise than is asked. */
    private static @Nullable MemoryPlan plan(Path directory, LoadOptions options) {
        try {
            return InternVL.plan(directory, options);
        } catch (InvalidOptionException otherwise) {
            return null;
        }
    }

    @Override
    public String toString() {
        String tower = vision == VisionPrecision.AS_STORED ? "" : " --quantize-vision";
        String needs = String.format(Locale.ROOT, "%.1f of %.1f GiB", plan.total() / GIB, plan.available() / GIB);
        return (fits ? "" : "nothing fits; the smallest is ") + "--precision "
                + precision.name().toLowerCase(Locale.ROOT) + tower + " on " + plan.device() + ", " + needs;
    }
}
