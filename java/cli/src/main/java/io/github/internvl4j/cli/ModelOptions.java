package io.github.internvl4j.cli;

import io.github.internvl4j.Device;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.LoadProgress;
import io.github.internvl4j.Precision;
import java.nio.file.Path;
import java.util.function.Consumer;
import me.tongfei.progressbar.ProgressBar;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which model, and how it is loaded. */
final class ModelOptions {
    @Option(names = "--model", required = true, paramLabel = "DIR", description = "Checkpoint folder, as published.")
    private Path model;

    @Option(
            names = "--precision",
            defaultValue = "auto",
            paramLabel = "P",
            description = "f32, bf16, f16, or auto for the stored type (default).")
    private Precision precision;

    @Option(
            names = "--device",
            defaultValue = "auto",
            paramLabel = "D",
            description = "auto (default), cpu, cuda, cuda:N or cuda:N,M.")
    private Device device;

    @Option(
            names = "--threads",
            defaultValue = "0",
            paramLabel = "N",
            description = "Compute threads; 0: all (default).")
    private int threads;

    @Option(
            names = "--context",
            defaultValue = "0",
            paramLabel = "N",
            description = "Longest conversation in tokens; 0: the checkpoint's (default).")
    private int context;

    @Option(names = "--no-mmap", description = "Read the weights into memory instead of mapping the files.")
    private boolean noMmap;

    @Option(
            names = "--memory-limit",
            defaultValue = "0",
            paramLabel = "BYTES",
            description = "What the memory plan must fit into; 0: what is available (default), -1: no check.")
    private long memoryLimit;

    LoadOptions loadOptions() {
        return LoadOptions.defaults()
                .precision(precision)
                .device(device)
                .threads(threads)
                .contextLength(context)
                .mapWeights(!noMmap)
                .memoryLimit(memoryLimit);
    }

    /** Loads, with a progress bar where someone is watching and it takes long enough to be seen. */
    InternVL load(Streams streams, LoadOptions options) {
        try (LoadBar bar = new LoadBar(streams)) {
            return InternVL.load(model, options.listener(bar));
        }
    }

    private static final class LoadBar implements Consumer<LoadProgress>, AutoCloseable {
        private static final long PATIENCE_NANOS = 1_000_000_000;

        private final Streams streams;
        private final long started = System.nanoTime();
        private boolean looked;
        private @Nullable ProgressBar bar;

        LoadBar(Streams streams) {
            this.streams = streams;
        }

        @Override
        public void accept(LoadProgress progress) {
            if (!looked && System.nanoTime() - started > PATIENCE_NANOS) {
                looked = true;
                bar = streams.errIsTerminal() ? Progress.ofBytes("loading", progress.bytesTotal(), streams) : null;
            }
            if (bar != null) {
                bar.stepTo(progress.bytesDone());
            }
        }

        @Override
        public void close() {
            if (bar != null) {
                bar.close();
            }
        }
    }
}
