package io.github.internvl4j.bench.gpu;

import io.github.internvl4j.runtime.KernelBenchmark;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Microseconds of an image's patch convolution and of its attention in one layer, ours and cuDNN's; measured as {@link
 * Products}.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class Images {
    private static final int QUEUED = Products.QUEUED;

    @State(Scope.Benchmark)
    public static class OurPatches {
        private KernelBenchmark operation;

        @Setup
        public void create() {
            operation = Image.ourPatches(Main.DEVICE);
        }

        @TearDown
        public void close() {
            operation.close();
        }
    }

    @State(Scope.Benchmark)
    public static class OurAttention {
        private KernelBenchmark operation;

        @Setup
        public void create() {
            operation = Image.ourAttention(Main.DEVICE);
        }

        @TearDown
        public void close() {
            operation.close();
        }
    }

    @State(Scope.Benchmark)
    public static class Convolution {
        private CudnnPatches operation;

        @Setup
        public void create() {
            CudaLibraries.CUDNN.require();
            operation = new CudnnPatches();
        }

        @TearDown
        public void close() {
            operation.close();
        }
    }

    @State(Scope.Benchmark)
    public static class Attention {
        private CudnnAttention operation;

        @Setup
        public void create() {
            CudaLibraries.CUDNN.require();
            operation = new CudnnAttention();
        }

        @TearDown
        public void close() {
            operation.close();
        }
    }

    @Benchmark
    @OperationsPerInvocation(QUEUED)
    public double patchesOurs(OurPatches state) {
        return state.operation.seconds(QUEUED);
    }

    @Benchmark
    @OperationsPerInvocation(QUEUED)
    public void patchesCudnn(Convolution state) {
        state.operation.run(QUEUED);
    }

    @Benchmark
    @OperationsPerInvocation(QUEUED)
    public double attentionOurs(OurAttention state) {
        return state.operation.seconds(QUEUED);
    }

    @Benchmark
    @OperationsPerInvocation(QUEUED)
    public void attentionCudnn(Attention state) {
        state.operation.run(QUEUED);
    }
}
