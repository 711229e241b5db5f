package io.github.internvl4j.cli;

import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.runtime.ModelBenchmark;
import io.github.internvl4j.runtime.NativeModel;
import io.github.internvl4j.runtime.PageCache;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * How long a checkpoint takes from its files to the first token of an answer: with all of it in the system's page cache, and with
 * none, where reading the disk is the floor.
 */
final class LoadTimes {
    private static final int PROMPT_TOKENS = 16;
    /** More than this share of the files in memory is not a cold start. */
    private static final double COLD = 0.02;

    private static final int PIECE = 4 << 20;

    private final Path directory;
    private final LoadOptions options;
    private final int images;

    /** @param images images before the first token, so that the vision tower's weights are read too; 0 for none */
    LoadTimes(Path directory, LoadOptions options, int images) {
        this.directory = directory;
        this.options = options;
        this.images = images;
    }

    /** Puts the seconds, the disk's speed and the share of it into the figures; only what was in memory if it cannot be dropped. */
    void measure(Map<String, Object> figures) throws IOException {
        double left = PageCache.drop(directory);
        figures.put("cold_cache_left_share", left);
        if (left > COLD) {
            figures.put("warm_first_token_seconds", firstToken());
            return;
        }
        long started = System.nanoTime();
        long bytes = readAll();
        double reading = seconds(started);
        figures.put("disk_gigabytes_per_second", bytes / reading / 1e9);
        figures.put("warm_first_token_seconds", firstToken());
        PageCache.drop(directory);
        double cold = firstToken();
        figures.put("cold_first_token_seconds", cold);
        figures.put("cold_share_of_disk", reading / cold);
    }

    private double firstToken() {
        long started = System.nanoTime();
        try (NativeModel model = NativeModel.load(directory, options)) {
            new ModelBenchmark(model, PROMPT_TOKENS, 0, images).firstToken();
            return seconds(started);
        }
    }

    private long readAll() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(directory)) {
            files = all.filter(file -> file.toString().endsWith(".safetensors")).toList();
        }
        ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);
        long bytes = 0;
        for (Path file : files) {
            try (FileChannel channel = FileChannel.open(file)) {
                while (channel.read(piece.clear()) >= 0) {
                    bytes += piece.position();
                }
            }
        }
        return bytes;
    }

    private static double seconds(long started) {
        return (System.nanoTime() - started) / 1e9;
    }
}
