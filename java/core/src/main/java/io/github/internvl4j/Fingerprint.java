package io.github.internvl4j;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.host.FileProblems;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/** What answers depend on besides the request, in a few letters. */
final class Fingerprint {
    /** An answer is the same with any number of them. */
    private static final Pattern THREADS = Pattern.compile(", \\d+ threads?");

    private static final int SAMPLES = 16;
    private static final int SAMPLE_BYTES = 4096;

    private Fingerprint() {}

    static String of(Path directory, LoadOptions options, ModelInfo info, String backend) {
        CRC32C sum = new CRC32C();
        add(sum, InternVL.version());
        add(sum, info);
        add(sum, THREADS.matcher(backend).replaceFirst(""));
        add(sum, options.precision());
        add(sum, options.visionPrecision());
        add(sum, options.kvCache());
        add(sum, options.activations());
        add(sum, String.valueOf(options.template()));
        try (Stream<Path> files = Files.list(directory)) {
            List<Path> weights = files.filter(file -> file.toString().endsWith(".safetensors"))
                    .sorted()
                    .toList();
            for (Path file : weights) {
                add(sum, file.getFileName());
                sample(sum, file);
            }
        } catch (IOException e) {
            throw new CheckpointException("cannot read the weights of " + directory + ": " + FileProblems.reason(e), e);
        }
        return String.format(Locale.ROOT, "fp_%08x", sum.getValue());
    }

    private static void add(CRC32C sum, Object value) {
        sum.update(value.toString().getBytes(StandardCharsets.UTF_8));
        sum.update(0); // so that no two values run into each other
    }

    /** Training changes all weights, so a few of them tell one checkpoint from another; all of them would take minutes. */
    private static void sample(CRC32C sum, Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            long size = channel.size();
            add(sum, size);
            for (int i = 0; i < SAMPLES; i++) {
                ByteBuffer bytes = ByteBuffer.allocate(SAMPLE_BYTES);
                long at = Math.max(0, size - SAMPLE_BYTES) * i / (SAMPLES - 1);
                while (bytes.hasRemaining() && channel.read(bytes, at + bytes.position()) >= 0) {}
                sum.update(bytes.flip());
            }
        }
    }
}
