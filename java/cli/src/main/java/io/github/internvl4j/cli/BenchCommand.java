package io.github.internvl4j.cli;

import io.github.internvl4j.ActivationType;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.MemoryPlan;
import io.github.internvl4j.Precision;
import io.github.internvl4j.runtime.Factors;
import io.github.internvl4j.runtime.Machine;
import io.github.internvl4j.runtime.ModelBenchmark;
import io.github.internvl4j.runtime.ModelShape;
import io.github.internvl4j.runtime.NativeModel;
import io.github.internvl4j.runtime.TogetherBenchmark;
import io.github.internvl4j.runtime.Work;
import io.github.internvl4j.server.openai.JsonText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Speed, and its share of what the machine can do. */
@Command(
        name = "bench",
        description =
                "Measures loading, vision, prefill and decode, and on CPUs their shares of measured bandwidth and peak.",
        footer = {
            "",
            "A share of bandwidth counts the bytes of weights and KV cache that a token must read; a share of the peak",
            "counts the multiply-adds of the products and of attention. Sequences decoded together read the weights once.",
            "memory_peak_bytes is the most that was resident without the JVM's own before loading (jvm_bytes); the bar for it",
            "is 1.03 times the weights, the KV cache of the longest sequence that was run or of those together, and 200 MB.",
            "",
            "Example:",
            "  internvl4j bench --config config.json --precision bf16 --threads 2"
        })
final class BenchCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Spec
    private CommandSpec spec;

    @ArgGroup(multiplicity = "1")
    private Subject subject;

    private static final class Subject {
        @Option(names = "--model", paramLabel = "MODEL", description = ModelFolder.DESCRIPTION)
        private @Nullable ModelFolder model;

        @Option(names = "--config", paramLabel = "FILE", description = "A bare config.json; weights are random.")
        private @Nullable Path config;
    }

    @Mixin
    private ComputeOptions compute;

    @Option(
            names = "--prompt-tokens",
            defaultValue = "512",
            paramLabel = "N",
            description = "Length of the prompt (default: ${DEFAULT-VALUE}).")
    private int promptTokens;

    @Option(
            names = "--new-tokens",
            defaultValue = "64",
            paramLabel = "N",
            description = "Tokens decoded (default: ${DEFAULT-VALUE}).")
    private int newTokens;

    @Option(names = "--past", paramLabel = "N", description = "Tokens behind which is decoded (default: the prompt).")
    private @Nullable Integer past;

    @Option(
            names = "--sequences",
            defaultValue = "1",
            paramLabel = "N",
            description =
                    "With 2 or more: also so many decoded together, beside one alone (default: ${DEFAULT-VALUE}).")
    private int sequences;

    @Option(
            names = "--images",
            defaultValue = "1",
            paramLabel = "N",
            description = "Images encoded together; 0 for none (default: ${DEFAULT-VALUE}).")
    private int images;

    @Option(
            names = "--runs",
            defaultValue = "3",
            paramLabel = "N",
            description = "Runs, of which the median counts (default: ${DEFAULT-VALUE}).")
    private int runs;

    @Option(
            names = "--cold",
            description =
                    "With --model: also from the files to the first token, with the system's page cache full and emptied.")
    private boolean cold;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    private long weightBytes;

    @Override
    public Integer call() throws IOException {
        require("--prompt-tokens", promptTokens, 1);
        require("--new-tokens", newTokens, 1);
        require("--past", past == null ? 1 : past, 1);
        require("--sequences", sequences, 1);
        require("--images", images, 0);
        require("--runs", runs, 1);
        LoadOptions options = compute.of(LoadOptions.defaults());
        Machine before = Machine.measure(options);
        Map<String, Object> figures = new LinkedHashMap<>();
        if (cold) {
            if (subject.model == null) {
                throw new ParameterException(spec.commandLine(), "--cold needs --model");
            }
            new LoadTimes(subject.model.path(), options, images).measure(figures);
        }
        long jvm = ResidentMemory.now();
        ResidentMemory.forgetPeak();
        long started = System.nanoTime();
        try (NativeModel model = load(options)) {
            figures.put("load_seconds", (System.nanoTime() - started) / 1e9);
            Speeds speeds = measure(model);
            TogetherBenchmark.@Nullable Result together =
                    sequences == 1 ? null : new TogetherBenchmark(model, sequences, past(), newTokens).run(runs);
            long peak = ResidentMemory.peak();
            speeds(figures, speeds);
            Rates rates = rates(speeds, model.work());
            rates(figures, rates);
            if (together != null) {
                figures.put("together_tokens_per_second", together.tokensPerSecond());
                figures.put("together_over_one", together.overOne());
            }
            figures.put("peak_rss_bytes", peak);
            figures.put("jvm_bytes", jvm);
            figures.put("memory_peak_bytes", peak - jvm);
            figures.put("memory_bar_bytes", memoryBar(options, model));
            if (model.backend().startsWith("cpu")) {
                // A machine is at least as fast as it ever was: the better of two measurements.
                Machine machine = before.best(Machine.measure(options));
                shares(figures, rates, machine, model.info());
                if (together != null) {
                    together(figures, together.tokensPerSecond() / sequences, model, machine);
                }
            }
            figures.put("backend", model.backend());
            figures.put("parameters", model.info().parameters());
            figures.put("precision", model.info().precision().name().toLowerCase(Locale.ROOT));
            figures.put("kv_cache", model.info().kvCache().name().toLowerCase(Locale.ROOT));
            figures.put("threads", before.threads());
            figures.put("prompt_tokens", promptTokens);
            figures.put("past_tokens", past());
            figures.put("new_tokens", newTokens);
            if (together != null) {
                figures.put("sequences", sequences);
            }
        }
        print(figures);
        return 0;
    }

    private void require(String option, int value, int least) {
        if (value < least) {
            throw new ParameterException(spec.commandLine(), option + " is " + value + ", expected at least " + least);
        }
    }

    private int past() {
        return past == null ? promptTokens : past;
    }

    /** Medians of the runs; no vision without images. */
    private record Speeds(double secondsPerImage, double prefillTokensPerSecond, double decodeTokensPerSecond) {}

    private Speeds measure(NativeModel model) {
        if (past() == promptTokens) {
            ModelBenchmark.Result all = new ModelBenchmark(model, promptTokens, newTokens, images).run(runs);
            return new Speeds(all.visionSecondsPerImage(), all.prefillTokensPerSecond(), all.decodeTokensPerSecond());
        }
        ModelBenchmark.Result prompt = new ModelBenchmark(model, promptTokens, 0, images).run(runs);
        ModelBenchmark.Result decode = new ModelBenchmark(model, past(), newTokens, 0).run(runs);
        return new Speeds(
                prompt.visionSecondsPerImage(), prompt.prefillTokensPerSecond(), decode.decodeTokensPerSecond());
    }

    private void speeds(Map<String, Object> figures, Speeds speeds) {
        if (images > 0) {
            figures.put("vision_ms_per_image", speeds.secondsPerImage() * 1e3);
        }
        figures.put("prefill_tokens_per_second", speeds.prefillTokensPerSecond());
        figures.put("decode_tokens_per_second", speeds.decodeTokensPerSecond());
    }

    /** What the model computed and moved in a second, wherever it did; no vision without images. */
    private record Rates(double visionOperations, double prefillOperations, double decodeBytes) {}

    private Rates rates(Speeds speeds, Work work) {
        return new Rates(
                work.visionOperations() / speeds.secondsPerImage(),
                work.prefillOperations(promptTokens) / promptTokens * speeds.prefillTokensPerSecond(),
                work.decodeBytes(past() + newTokens / 2) * speeds.decodeTokensPerSecond());
    }

    private void rates(Map<String, Object> figures, Rates rates) {
        if (images > 0) {
            figures.put("vision_teraflops", rates.visionOperations() / 1e12);
        }
        figures.put("prefill_teraflops", rates.prefillOperations() / 1e12);
        figures.put("decode_gigabytes_per_second", rates.decodeBytes() / 1e9);
    }

    /** Of what the processor can do. */
    private void shares(Map<String, Object> figures, Rates rates, Machine machine, ModelShape loaded) {
        Precision kept = loaded.precision();
        figures.put("read_gigabytes_per_second", machine.readGigabytesPerSecond());
        figures.put("f32_gigaflops", machine.f32Gigaflops());
        figures.put("bf16_gigaflops", machine.bf16Gigaflops());
        figures.put("int8_gigaops", machine.int8Gigaops());
        // INT8 and INT4 are the decoder's, unless --quantize-vision says otherwise.
        Precision tower =
                switch (compute.vision()) {
                    case INT8 -> Precision.INT8;
                    case AS_STORED, INT4 -> kept == Precision.INT8 || kept == Precision.INT4 ? Precision.BF16 : kept;
                };
        if (images > 0) {
            figures.put("vision_share_of_peak", rates.visionOperations() / peak(machine, tower, loaded));
        }
        figures.put("prefill_share_of_peak", rates.prefillOperations() / peak(machine, kept, loaded));
        figures.put("decode_share_of_bandwidth", rates.decodeBytes() / (machine.readGigabytesPerSecond() * 1e9));
    }

    /** Shares of steps of all sequences: a step is near both bounds. */
    private void together(Map<String, Object> figures, double stepsPerSecond, NativeModel model, Machine machine) {
        Work work = model.work();
        double keys = past() + newTokens / 2;
        double bytes = work.weightBytes() + sequences * keys * work.kvBytesPerKey();
        double operations = work.operationsPerToken() + keys * work.attentionOperationsPerKey() + work.headOperations();
        double peak = peak(machine, model.info().precision(), model.info());
        figures.put("together_share_of_bandwidth", bytes * stepsPerSecond / (machine.readGigabytesPerSecond() * 1e9));
        figures.put("together_share_of_peak", sequences * operations * stepsPerSecond / peak);
    }

    /** In operations a second. */
    private static double peak(Machine machine, Precision kept, ModelShape loaded) {
        return machine.peak(Factors.of(kept, loaded.activations() == ActivationType.BF16)) * 1e9;
    }

    private NativeModel load(LoadOptions options) {
        LoadOptions watched = options.listener(progress -> weightBytes = progress.bytesTotal());
        if (subject.model != null) {
            return NativeModel.load(subject.model.path(), watched);
        }
        return NativeModel.loadRandom(Objects.requireNonNull(subject.config), watched, 1);
    }

    private long memoryBar(LoadOptions options, NativeModel model) {
        long weights = weightBytes; // of random weights, as they are kept
        if (subject.model != null) {
            MemoryPlan plan = InternVL.plan(subject.model.path(), options);
            weights = plan.weightsMapped() + plan.weightsOwned();
        }
        long tokens = Math.max(promptTokens, (long) sequences * past()) + (long) sequences * (newTokens + 1);
        double kvCache = model.work().kvBytesPerKey() * tokens;
        return Math.round(1.03 * weights + kvCache + 200e6);
    }

    private void print(Map<String, Object> figures) {
        if (json) {
            main.streams.out().println(JsonText.text(figures));
            return;
        }
        figures.forEach((name, value) -> {
            String text =
                    value instanceof Double number ? String.format(Locale.ROOT, "%.4g", number) : value.toString();
            main.streams.out().printf("%-28s %s%n", name, text);
        });
    }
}
