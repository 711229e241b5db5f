package io.github.internvl4j.cli;

import io.github.internvl4j.CheckReport;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.MemoryPlan;
import io.github.internvl4j.ModelInfo;
import io.github.internvl4j.SystemInfo;
import io.github.internvl4j.server.openai.JsonText;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** What this machine and a checkpoint are. */
@Command(
        name = "info",
        description = "Version, CPU features and devices; with --model the checkpoint's shape and memory plan.",
        footer = {
            "",
            "Exit status 1 if the checkpoint cannot be loaded as it is, or --check finds a value that is no number.",
            "",
            "Examples:",
            "  internvl4j info",
            "  internvl4j info --model DIR --check"
        })
final class InfoCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Spec
    private CommandSpec spec;

    @Option(names = "--model", paramLabel = "MODEL", description = ModelFolder.DESCRIPTION)
    private @Nullable ModelFolder model;

    @Option(names = "--check", description = "Also look for NaN and infinity in every weight; exit status 1 if found.")
    private boolean check;

    @Mixin
    private PrecisionOptions precision;

    @Option(names = "--context", defaultValue = "0", paramLabel = "N", description = "For the memory plan.")
    private int context;

    @Mixin
    private BatchSizeOption batchSize;

    @Mixin
    private DraftOption draft;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    /** @param plan null, as the recommendation is, if weights are missing or wrong */
    private record Checkpoint(
            ModelInfo info,
            @Nullable MemoryPlan plan,
            @Nullable Recommendation recommended,
            CheckReport weights) {}

    @Override
    public Integer call() {
        if (check && model == null) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--check needs --model");
        }
        SystemInfo system = InternVL.systemInfo();
        Checkpoint checkpoint = model == null ? null : read(model.path());
        if (json) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("system", system);
            if (checkpoint != null) {
                fields.put("model", checkpoint.info());
                fields.put("memory_plan", checkpoint.plan());
                fields.put(
                        "recommended",
                        checkpoint.recommended() == null
                                ? null
                                : checkpoint.recommended().toString());
                fields.put("weights", checkpoint.weights());
            }
            main.streams.out().println(JsonText.text(fields));
        } else {
            print(system);
            if (checkpoint != null) {
                print(checkpoint);
            }
        }
        return checkpoint == null || checkpoint.weights().ok() ? 0 : 1;
    }

    private Checkpoint read(Path directory) {
        CheckReport report = InternVL.check(directory, check);
        LoadOptions options =
                draft.of(batchSize.of(precision.of(LoadOptions.defaults()).contextLength(context)));
        ModelInfo info = InternVL.inspect(directory);
        boolean loadable = report.missing().isEmpty() && report.wrong().isEmpty();
        if (!loadable) {
            return new Checkpoint(info, null, null, report);
        }
        return new Checkpoint(info, InternVL.plan(directory, options), Recommendation.of(directory, options), report);
    }

    private void print(SystemInfo system) {
        PrintStream out = main.streams.out();
        out.println("internvl4j   " + system.version());
        out.println("java         " + Runtime.version() + " (" + System.getProperty("java.vendor") + ")");
        out.println("cpu kernels  " + system.cpu().isa() + ", " + system.cpu().threads() + " threads");
        out.println("cpu features " + String.join(" ", system.cpu().features()));
        for (SystemInfo.DeviceInfo device : system.devices()) {
            out.println("device       " + device.name() + ": " + (device.available() ? "available" : device.reason()));
        }
    }

    private void print(Checkpoint checkpoint) {
        PrintStream out = main.streams.out();
        ModelInfo info = checkpoint.info();
        out.println();
        out.printf(Locale.ROOT, "model        %,d parameters, stored in %s%n", info.parameters(), info.stored());
        String tiles = info.tiling().dynamic() ? "tiles of " : "";
        out.println("images       " + tiles + info.imageSize() + " x " + info.imageSize() + " pixels, "
                + info.tokensPerImage() + " tokens each, " + info.visionLayers() + " layers");
        out.println("decoder      " + info.architecture() + ", " + info.decoderLayers() + " layers, width "
                + info.hiddenSize() + ", vocabulary " + info.vocabularySize() + ", context " + info.contextLength());
        boolean jinja = info.layout() == ModelInfo.Layout.TRANSFORMERS;
        out.println("template     " + (jinja ? "the folder's chat template" : info.conversationTemplate()));
        CheckReport weights = checkpoint.weights();
        list("missing      ", weights.missing());
        list("wrong        ", weights.wrong());
        list("unexpected   ", weights.unexpected());
        for (CheckReport.NonFinite bad : weights.nonFinite()) {
            out.println("not finite   " + bad.tensor() + ": " + bad.count() + " values, the first at " + bad.first());
        }
        if (check && weights.ok()) {
            out.println("weights      all finite");
        }
        MemoryPlan plan = checkpoint.plan();
        if (plan != null) {
            print(plan);
            out.println("recommended  " + checkpoint.recommended());
        }
    }

    private void list(String title, List<String> names) {
        names.forEach(name -> main.streams.out().println(title + name));
    }

    private void print(MemoryPlan plan) {
        main.streams.out().println();
        main.streams.out().println("on           " + plan.device());
        row("weights, mapped", plan.weightsMapped());
        row("weights, owned", plan.weightsOwned());
        String type = plan.kvCacheType().name().toLowerCase(Locale.ROOT);
        row("KV cache, " + type + ", full", plan.kvCache());
        row("  for each token", plan.kvCachePerToken());
        if (plan.maxBatch() > 1) {
            row("KV cache, " + (plan.maxBatch() - 1) + " more", plan.kvCacheBatch());
        }
        row("scratch", plan.scratch());
        row("images, " + plan.imagesTogether() + " together", plan.imageBatch());
        if (plan.draft() > 0) {
            row("draft", plan.draft());
        }
        row("memory plan, total", plan.total());
        row("available now", plan.available());
        main.streams.out().println(plan.fits() ? "fits" : "does not fit: " + plan.advice());
    }

    private void row(String name, long bytes) {
        main.streams.out().printf(Locale.ROOT, "%-24s %,20d bytes  %10.1f MiB%n", name, bytes, bytes / 1048576.0);
    }
}
