package io.github.internvl4j.cli;

import io.github.internvl4j.Device;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.ModelInfo;
import io.github.internvl4j.Precision;
import io.github.internvl4j.runtime.Machine;
import io.github.internvl4j.runtime.ModelBenchmark;
import io.github.internvl4j.runtime.NativeModel;
import io.github.internvl4j.runtime.Work;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Speed, and its share of what the machine can do. */
@Command(
        name = "bench",
        description = "Measures loading, vision, prefill and decode, and their shares of the measured bandwidth and peak.",
        footer = {
            "",
            "A share of bandwidth counts the bytes of weights and KV cache that a token must read; a share of the peak",
            "counts the multiply-adds of the products and of attention.",
            "",
            "Example:",
            "  internvl4j bench --config config.json --precision bf16 --threads 2"
        })
final class BenchCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @ArgGroup(multiplicity = "1")
    private Subject subject;

    private static final class Subject {
        @Option(names = "--model", paramLabel = "DIR", description = "Checkpoint folder.")
        private @Nullable Path model;

        @Option(names = "--config", paramLabel = "FILE", description = "A bare config.json; weights are random.")
        private @Nullable Path config;
    }

    @Option(names = "--precision", defaultValue = "auto", paramLabel = "P", description = "f32, bf16, f16 or auto.")
    private Precision precision;

    @Option(names = "--device", defaultValue = "auto", paramLabel = "D", description = "auto (default) or cpu.")
    private Device device;

    @Option(names = "--threads", defaultValue = "0", paramLabel = "N", description = "Compute threads; 0: all (default).")
    private int threads;

    @Option(names = "--prompt-tokens", defaultValue = "512", paramLabel = "N", description = "Length of the prompt (default: ${DEFAULT-VALUE}).")
    private int promptTokens;

    @Option(names = "--new-tokens", defaultValue = "32", paramLabel = "N", description = "Tokens decoded behind it (default: ${DEFAULT-VALUE}).")
    private int newTokens;

    @Option(names = "--images", defaultValue = "1", paramLabel = "N", description = "Pictures encoded (default: ${DEFAULT-VALUE}).")
    private int images;

    @Option(names = "--runs", defaultValue = "3", paramLabel = "N", description = "Runs, of which the median counts (default: ${DEFAULT-VALUE}).")
    private int runs;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        LoadOptions options = LoadOptions.defaults().precision(precision).device(device).threads(threads);
        Machine before = Machine.measure(threads);
        long started = System.nanoTime();
        Map<String, Object> figures = new LinkedHashMap<>();
        try (NativeModel model = load(options)) {
            figures.put("load_seconds", (System.nanoTime() - started) / 1e9);
            ModelInfo info = model.info();
            ModelBenchmark benchmark = new ModelBenchmark(model, promptTokens, newTokens, images);
            ModelBenchmark.Result result = benchmark.run(runs);
            if (images > 0) {
                figures.put("vision_ms_per_image", result.visionSecondsPerImage() * 1e3);
            }
            figures.put("prefill_tokens_per_second", result.prefillTokensPerSecond());
            figures.put("decode_tokens_per_second", result.decodeTokensPerSecond());
            figures.put("peak_rss_bytes", peakResidentBytes());
            // A machine is at least as fast as it ever was: the better of two measurements.
            Machine machine = before.best(Machine.measure(threads));
            figures.put("read_gigabytes_per_second", machine.readGigabytesPerSecond());
            figures.put("f32_gigaflops", machine.f32Gigaflops());
            Work work = model.work();
            double peak = machine.f32Gigaflops() * 1e9;
            double bandwidth = machine.readGigabytesPerSecond() * 1e9;
            if (images > 0) {
                figures.put("vision_share_of_peak", work.visionOperations() / result.visionSecondsPerImage() / peak);
            }
            figures.put(
                    "prefill_share_of_peak",
                    work.prefillOperations(promptTokens) / promptTokens * result.prefillTokensPerSecond() / peak);
            figures.put(
                    "decode_share_of_bandwidth",
                    work.decodeBytes(promptTokens + newTokens / 2) * result.decodeTokensPerSecond() / bandwidth);
            figures.put("parameters", info.parameters());
            figures.put("precision", info.precision().name().toLowerCase(Locale.ROOT));
            figures.put("threads", machine.threads());
            figures.put("prompt_tokens", promptTokens);
            figures.put("new_tokens", newTokens);
        }
        print(figures);
        return 0;
    }

    private NativeModel load(LoadOptions options) {
        if (subject.model != null) {
            return NativeModel.load(subject.model, options);
        }
        return NativeModel.loadRandom(Objects.requireNonNull(subject.config), options, 1);
    }

    private void print(Map<String, Object> figures) {
        if (json) {
            main.streams.out().println(Json.text(figures));
            return;
        }
        figures.forEach((name, value) -> {
            String text = value instanceof Double number ? String.format(Locale.ROOT, "%.4g", number) : value.toString();
            main.streams.out().printf("%-28s %s%n", name, text);
        });
    }

    /** The most memory the process ever had resident, mapped weights included; 0 where the system does not tell. */
    private static long peakResidentBytes() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.isReadable(status)) {
            return 0;
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                .findFirst()
                .orElse(0);
    }
}
