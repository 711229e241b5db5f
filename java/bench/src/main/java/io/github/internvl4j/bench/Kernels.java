package io.github.internvl4j.bench;

import io.github.internvl4j.runtime.KernelBenchmark;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
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

/** Single operations of the runtime, each second's runs and their GFLOP and GB beside them. */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class Kernels {
    /** Per second, like the runs. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Work {
        public double gigaflop;
        public double gigabyte;

        void add(KernelBenchmark operation) {
            gigaflop += operation.operations() / 1e9;
            gigabyte += operation.bytes() / 1e9;
        }
    }

    /** m x k activations times n x k weights; one row is what decoding does. */
    @State(Scope.Benchmark)
    public static class MatMul {
        @Param({"512x7168x7168", "512x5888x2048", "1025x12800x3200", "1x20480x7168", "8x20480x7168"})
        public String shape;

        @Param({"bf16", "f16", "f32"})
        public String dtype;

        @Param("0")
        public int threads;

        private KernelBenchmark operation;

        @Setup
        public void create() {
            String[] size = shape.split("x");
            operation = new KernelBenchmark(
                    "{\"op\": \"matmul\", \"m\": %s, \"n\": %s, \"k\": %s, \"dtype\": \"%s\"}"
                            .formatted(size[0], size[1], size[2], dtype),
                    threads);
        }

        @TearDown
        public void close() {
            operation.close();
        }
    }

    /** tokens x heads x head size; every token sees all. */
    @State(Scope.Benchmark)
    public static class VisionAttention {
        @Param({"1025x25x128", "1025x16x64"})
        public String shape;

        @Param("0")
        public int threads;

        private KernelBenchmark operation;

        @Setup
        public void create() {
            Object[] size = shape.split("x");
            operation = new KernelBenchmark(
                    "{\"op\": \"vision_attention\", \"tokens\": %s, \"heads\": %s, \"head_dim\": %s}".formatted(size),
                    threads);
        }

        @TearDown
        public void close() {
            operation.close();
        }
    }

    /** rows x tokens before them x heads x key and value heads x head size; one row is what decoding does. */
    @State(Scope.Benchmark)
    public static class CachedAttention {
        @Param({"512x0x56x8x128", "1x1024x56x8x128", "1x4000x56x8x128"})
        public String shape;

        @Param({"bf16", "f16", "f32", "int8"})
        public String dtype;

        @Param("0")
        public int threads;

        private KernelBenchmark operation;

        @Setup
        public void create() {
            Object[] size = shape.split("x");
            String spec = "{\"op\": \"cached_attention\", \"rows\": %s, \"past\": %s, \"heads\": %s, \"kv_heads\": %s,"
                    + " \"head_dim\": %s, \"dtype\": \"" + dtype + "\"}";
            operation = new KernelBenchmark(spec.formatted(size), threads);
        }

        @TearDown
        public void close() {
            operation.close();
        }
    }

    @Benchmark
    public void matmul(MatMul state, Work work) {
        state.operation.run();
        work.add(state.operation);
    }

    @Benchmark
    public void visionAttention(VisionAttention state, Work work) {
        state.operation.run();
        work.add(state.operation);
    }

    @Benchmark
    public void cachedAttention(CachedAttention state, Work work) {
        state.operation.run();
        work.add(state.operation);
    }
}
