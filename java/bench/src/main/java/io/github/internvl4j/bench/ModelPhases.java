package io.github.internvl4j.bench;

import io.github.internvl4j.Precision;
import io.github.internvl4j.runtime.NativeAnswer;
import io.github.internvl4j.runtime.NativeModel;
import io.github.internvl4j.runtime.NativeRequest;
import io.github.internvl4j.runtime.RequestEvent;
import io.github.internvl4j.tensor.Tensor;
import java.nio.FloatBuffer;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Milliseconds of a prompt, of a decoded token behind it, and of an image. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 1, time = 2)
@Measurement(iterations = 5, time = 2)
public class ModelPhases {
    /** A model whose decoder is of interest. */
    @State(Scope.Benchmark)
    public static class Decoder {
        @Param({"yi-mini", "yi-34b-layer"})
        public String shape;

        @Param({"BF16", "INT8", "F32"})
        public Precision precision;

        @Param("0")
        public int threads;

        /** With a GPU, which has no F32: INTERNVL4J_NATIVE=gpu scripts/bench ModelPhases -p device=cuda:0 -p precision=BF16. */
        @Param("cpu")
        public String device;

        @Param("512")
        public int promptTokens;

        private NativeModel model;
        private int[] prompt;

        @Setup
        public void load() {
            model = Shapes.load(shape, precision, threads, device);
            prompt = new Random(1)
                    .ints(promptTokens, 0, model.info().vocabularySize())
                    .toArray();
        }

        @TearDown
        public void close() {
            model.close();
        }

        private long runs;

        /** Nothing of it is found in the cache. */
        NativeAnswer begin(int newTokens) {
            return model.submit(NativeRequest.ofText(prompt, newTokens, "run " + runs++));
        }
    }

    /** An answer on its way; begun anew before its context is full. */
    @State(Scope.Thread)
    public static class Decoding {
        private static final int STEPS = 512;

        private NativeAnswer answer;

        @Setup(Level.Iteration)
        public void begin(Decoder decoder) {
            answer = decoder.begin(STEPS);
            answer.next();
        }

        @TearDown(Level.Iteration)
        public void close() {
            answer.close();
        }

        RequestEvent step(Decoder decoder) {
            RequestEvent event = answer.next();
            if (event.last()) {
                close();
                begin(decoder);
            }
            return event;
        }
    }

    /** A model whose vision tower is of interest. */
    @State(Scope.Benchmark)
    public static class Tower {
        @Param({"vit-300m", "intern-vit-6b-layer"})
        public String shape;

        @Param({"BF16", "INT8", "F32"})
        public Precision precision;

        @Param("0")
        public int threads;

        @Param("cpu")
        public String device;

        private NativeModel model;
        private Tensor pixels;

        @Setup
        public void load() {
            model = Shapes.load(shape, precision, threads, device);
            int size = model.info().imageSize();
            pixels = Tensor.allocate(1, 3, size, size);
            FloatBuffer data = pixels.data();
            Random random = new Random(1);
            while (data.hasRemaining()) {
                data.put(random.nextFloat());
            }
        }

        @TearDown
        public void close() {
            model.close();
        }
    }

    @Benchmark
    public RequestEvent prefill(Decoder decoder) {
        try (NativeAnswer answer = decoder.begin(1)) {
            return answer.next();
        }
    }

    @Benchmark
    public RequestEvent decode(Decoder decoder, Decoding decoding) {
        return decoding.step(decoder);
    }

    @Benchmark
    public void vision(Tower tower) {
        tower.model.encode(tower.pixels, null).close();
    }
}
