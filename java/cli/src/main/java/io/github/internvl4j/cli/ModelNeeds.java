package io.github.internvl4j.cli;

import io.github.internvl4j.ActivationType;
import io.github.internvl4j.Device;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.MemoryPlan;
import io.github.internvl4j.ModelInfo;
import io.github.internvl4j.Precision;
import io.github.internvl4j.error.UnsupportedModelException;
import io.github.internvl4j.server.openai.JsonText;
import io.github.internvl4j.text.ConversationTemplates;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the library says of a known model: whether it runs, and what memory it would take on the CPU, one request at a time.
 *
 * @param whyNot why it does not run; null if it does
 * @param parameters weights in all; 0 if it does not run
 * @param context the longest that its configuration allows, in tokens
 * @param memory in each precision, the narrowest first; none if it does not run
 * @param fits the widest of bf16, int8 and int4 that fits here now at the shorter context; null for none, and if it was not asked
 */
record ModelNeeds(
        KnownModel model,
        @Nullable String whyNot,
        long parameters,
        int context,
        List<Needs> memory,
        @Nullable Precision fits) {
    /** The shorter of the contexts, in tokens. */
    static final int SHORT = 4096;

    private static final long MIB = 1 << 20;

    private static final List<Precision> PRECISIONS =
            List.of(Precision.INT4, Precision.INT8, Precision.BF16, Precision.F32);

    /**
     * In MiB.
     *
     * @param precision of weights and computation
     * @param shortContext at {@link #SHORT} tokens
     * @param full at the whole context
     */
    record Needs(Precision precision, long shortContext, long full) {}

    /** @param here whether it is also asked what fits this machine */
    static ModelNeeds of(KnownModel model, boolean here) throws IOException {
        if (model.missing() != null) {
            return without(model, "needs " + model.missing());
        }
        Path file = Files.createTempFile("internvl4j", ".json");
        try {
            Files.writeString(file, JsonText.text(model.config()));
            ModelInfo info = InternVL.inspect(file);
            ConversationTemplates.forName(model.template());
            List<Needs> memory = new ArrayList<>();
            for (Precision precision : PRECISIONS) {
                long full = total(file, precision, info.contextLength());
                memory.add(new Needs(precision, total(file, precision, SHORT), full));
            }
            return new ModelNeeds(
                    model, null, info.parameters(), info.contextLength(), memory, here ? fitting(file) : null);
        } catch (UnsupportedModelException e) {
            return without(model, reason(e, file));
        } finally {
            Files.delete(file);
        }
    }

    private static ModelNeeds without(KnownModel model, String why) {
        return new ModelNeeds(model, why, 0, 0, List.of(), null);
    }

    /** Without the file, which is ours, and what there is instead. */
    private static String reason(UnsupportedModelException refusal, Path file) {
        String message = Failures.oneLine(refusal.getMessage()).replace(file + ": ", "");
        int rest = message.indexOf(", only ");
        return rest < 0 ? message : message.substring(0, rest);
    }

    /** F32 keeps the published weights as they are stored, in bf16. */
    private static long total(Path file, Precision precision, int context) {
        MemoryPlan plan = plan(file, precision, context);
        long bytes = precision == Precision.F32
                ? plan.total()
                        - plan.weightsOwned()
                        + plan(file, Precision.BF16, context).weightsOwned()
                : plan.total();
        return (bytes + MIB - 1) / MIB;
    }

    private static MemoryPlan plan(Path file, Precision precision, int context) {
        LoadOptions options = LoadOptions.defaults()
                .activations(ActivationType.F32) // or the table would be another on another processor
                .device(Device.CPU)
                .maxBatch(1);
        return InternVL.plan(file, options.precision(precision).contextLength(context));
    }

    private static @Nullable Precision fitting(Path file) {
        for (Precision precision : List.of(Precision.BF16, Precision.INT8, Precision.INT4)) {
            if (plan(file, precision, SHORT).fits()) {
                return precision;
            }
        }
        return null;
    }
}
