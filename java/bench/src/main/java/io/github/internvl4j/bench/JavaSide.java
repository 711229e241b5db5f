package io.github.internvl4j.bench;

import io.github.internvl4j.Precision;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.ImageProcessor;
import io.github.internvl4j.image.Tiling;
import io.github.internvl4j.runtime.NativeLibrary;
import io.github.internvl4j.runtime.NativeModel;
import io.github.internvl4j.tensor.Tensor;
import io.github.internvl4j.text.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Microseconds of what Java does around the runtime: text, images, and calls through the binding. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class JavaSide {
    /** A checkpoint's tokenizer and image settings; the working directory is the repository's root. */
    @State(Scope.Benchmark)
    public static class Checkpoint {
        @Param("test-data/hermes-d128")
        public String directory;

        private Tokenizer tokenizer;
        private String text;
        private int[] ids;
        private ImageProcessor processor;
        private byte[] encoded;
        private Image large;

        @Setup
        public void load() throws Exception {
            tokenizer = Tokenizer.load(Path.of(directory));
            text = "The quick brown fox, 敏捷的棕色狐狸, jumps over 13 lazy dogs.\n".repeat(100);
            ids = tokenizer.encode(text);
            processor = ImageProcessor.load(Path.of(directory));
            encoded = Files.readAllBytes(Path.of(directory, "images/discs.jpg"));
            byte[] rgb = new byte[4000 * 3000 * 3];
            new Random(1).nextBytes(rgb);
            large = Image.ofRgb(4000, 3000, rgb);
        }
    }

    /** The smallest model there is. */
    @State(Scope.Benchmark)
    public static class Binding {
        private NativeModel model;

        @Setup
        public void load() {
            model = Shapes.load("tiny", Precision.F32, 1, "cpu");
        }

        @TearDown
        public void close() {
            model.close();
        }
    }

    @Benchmark
    public int[] encodeText(Checkpoint checkpoint) {
        return checkpoint.tokenizer.encode(checkpoint.text);
    }

    @Benchmark
    public String decodeText(Checkpoint checkpoint) {
        return checkpoint.tokenizer.decode(checkpoint.ids, true);
    }

    @Benchmark
    public Image readJpeg(Checkpoint checkpoint) {
        return Image.read(checkpoint.encoded, "discs.jpg");
    }

    @Benchmark
    public Tensor preprocessTwelveMegapixels(Checkpoint checkpoint) {
        return checkpoint.processor.preprocess(checkpoint.large);
    }

    @Benchmark
    public Tensor preprocessTwelveMegapixelsInTiles(Checkpoint checkpoint) {
        return checkpoint.processor.preprocess(List.of(checkpoint.large), new Tiling(true, true, 1, 12));
    }

    @Benchmark
    public long callThroughTheBinding(Binding binding) {
        return binding.model.counts().passes();
    }

    @Benchmark
    public String callWithAString() {
        return NativeLibrary.version();
    }
}
