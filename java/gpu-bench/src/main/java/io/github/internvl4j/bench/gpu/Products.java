package io.github.internvl4j.bench.gpu;

import io.github.internvl4j.runtime.KernelBenchmark;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Microseconds of a product of rows with a layer's weights, ours and cuBLAS'. Many are queued one behind another and waited for
 * once, so that what the host does beside the GPU does not count.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class Products {
    static final int QUEUED = 50;
    /** A token, eight conversations, chunks of prompts, an image: the values of {@link Shape#rows}. */
    static final List<Integer> ROWS = List.of(1, 8, 64, 320, 512, 1025);

    @State(Scope.Benchmark)
    public static class Shape {
        @Param
        public LinearLayer layer;

        @Param({"1", "8", "64", "320", "512", "1025"})
        public int rows;

        @Param
        public DataType type;
    }

    @State(Scope.Benchmark)
    public static class Ours {
        private KernelBenchmark product;

        @Setup
        public void create(Shape shape) {
            product = shape.layer.ours(shape.rows, shape.type, Main.DEVICE);
        }

        @TearDown
        public void close() {
            product.close();
        }
    }

    @State(Scope.Benchmark)
    public static class Cublas {
        private CublasProduct product;

        @Setup
        public void create(Shape shape) {
            CudaLibraries.CUBLAS.require();
            product = new CublasProduct(shape.layer, shape.rows, shape.type);
        }

        @TearDown
        public void close() {
            product.close();
        }
    }

    @Benchmark
    @OperationsPerInvocation(QUEUED)
    public double ours(Ours state) {
        return state.product.seconds(QUEUED);
    }

    @Benchmark
    @OperationsPerInvocation(QUEUED)
    public void cublas(Cublas state) {
        state.product.run(QUEUED);
    }
}
