package io.github.internvl4j.runtime;

import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_benchmark;
import io.github.internvl4j.tensor.Tensor;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import org.bytedeco.javacpp.BytePointer;

/** One operation of the runtime on random data, for whoever times it. */
public final class KernelBenchmark implements AutoCloseable {
    private final Handle<ivl_benchmark> handle;
    private final double operations;
    private final double bytes;

    /**
     * Prepares the operation.
     *
     * @param spec JSON as ivl_benchmark_create in internvl4j.h takes it
     * @param threads 0 for as many as the process may use
     */
    public KernelBenchmark(String spec, int threads) {
        NativeLibrary.load();
        ivl_benchmark created = new ivl_benchmark();
        try (BytePointer text = NativeLibrary.utf8(spec)) {
            NativeLibrary.check(internvl4j.ivl_benchmark_create(text, threads, created));
        }
        handle = new Handle<>("the benchmark", created, internvl4j::ivl_benchmark_free);
        double[] work = new double[1];
        double[] moved = new double[1];
        handle.call(pointer -> internvl4j.ivl_benchmark_work(pointer, work, moved));
        operations = work[0];
        bytes = moved[0];
    }

    /** Runs it once. */
    public void run() {
        handle.call(internvl4j::ivl_benchmark_run);
    }

    /** Seconds of so many runs, one queued behind another, by the device's own clock. */
    public double seconds(long runs) {
        double[] seconds = new double[1];
        handle.call(pointer -> internvl4j.ivl_benchmark_time(pointer, runs, seconds));
        return seconds[0];
    }

    /**
     * What it computes from and, last and after a run, what came out.
     *
     * @param index as ivl_benchmark_create in internvl4j.h counts them
     * @return (rows, columns)
     */
    public Tensor operand(int index) {
        LongBuffer rows = LongBuffer.allocate(1);
        LongBuffer cols = LongBuffer.allocate(1);
        handle.call(pointer -> internvl4j.ivl_benchmark_operand(pointer, index, rows, cols, (FloatBuffer) null, 0));
        Tensor values = Tensor.allocate(rows.get(0), cols.get(0));
        handle.call(
                pointer -> internvl4j.ivl_benchmark_operand(pointer, index, rows, cols, values.data(), values.size()));
        return values;
    }

    /** Floating-point operations of one run. */
    public double operations() {
        return operations;
    }

    /** Bytes that one run must move. */
    public double bytes() {
        return bytes;
    }

    @Override
    public void close() {
        handle.close();
    }
}
