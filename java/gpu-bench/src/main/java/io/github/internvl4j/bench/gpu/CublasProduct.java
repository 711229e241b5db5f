package io.github.internvl4j.bench.gpu;

import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_TRANSA;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES;
import static org.bytedeco.cuda.global.cublas.CUBLAS_COMPUTE_32F;
import static org.bytedeco.cuda.global.cublas.CUBLAS_COMPUTE_32I;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_T;
import static org.bytedeco.cuda.global.cublas.cublasLtCreate;
import static org.bytedeco.cuda.global.cublas.cublasLtDestroy;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmul;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulAlgoGetHeuristic;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulDescInit;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulDescSetAttribute;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulPreferenceInit;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulPreferenceSetAttribute;
import static org.bytedeco.cuda.global.cublas.cublasLtMatrixLayoutInit;
import static org.bytedeco.cuda.global.cudart.CUDA_R_16BF;
import static org.bytedeco.cuda.global.cudart.CUDA_R_32F;
import static org.bytedeco.cuda.global.cudart.CUDA_R_32I;
import static org.bytedeco.cuda.global.cudart.CUDA_R_8I;
import static org.bytedeco.cuda.global.cudart.cudaDeviceSynchronize;

import io.github.internvl4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.cuda.cublas.cublasLtContext;
import org.bytedeco.cuda.cublas.cublasLtMatmulDescOpaque_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulHeuristicResult_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulPreferenceOpaque_t;
import org.bytedeco.cuda.cublas.cublasLtMatrixLayoutOpaque_t;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.SizeTPointer;

/**
 * cuBLASLt's product x W^T, with the algorithm that its heuristic puts first. bf16 adds up in f32; int8 gives the int32 sums
 * alone, while ours quantizes its input before and scales after.
 *
 * <p>cuBLAS counts by columns: what it calls A is W, transposed, what it calls B is x, and the result's columns are our rows.
 */
final class CublasProduct extends Peer {
    private static final long WORKSPACE = 64L << 20;
    /** Widths of results are padded to whole 64 bytes, for a fair choice of algorithms where they are odd. */
    private static final int PADDING = 16;

    private final int rows;
    private final int outputs;
    private final int stride;
    private final boolean f32Out;
    private final DeviceMemory in;
    private final List<DeviceMemory> weights;
    private final DeviceMemory out;
    private final DeviceMemory workspace = new DeviceMemory(WORKSPACE);
    private final cublasLtContext handle = new cublasLtContext();
    private final cublasLtMatmulDescOpaque_t operation = new cublasLtMatmulDescOpaque_t();
    private final cublasLtMatrixLayoutOpaque_t weightLayout = new cublasLtMatrixLayoutOpaque_t();
    private final cublasLtMatrixLayoutOpaque_t inLayout = new cublasLtMatrixLayoutOpaque_t();
    private final cublasLtMatrixLayoutOpaque_t outLayout = new cublasLtMatrixLayoutOpaque_t();
    private final cublasLtMatmulHeuristicResult_t choice = new cublasLtMatmulHeuristicResult_t();
    private final Pointer one;
    private final Pointer zero;
    private int turn;

    /** On random operands, with as many copies of the weights as ours takes. */
    CublasProduct(LinearLayer layer, int rows, DataType type) {
        this(
                rows,
                layer.inputs(),
                // int8 takes widths in fours only: lm_head's 64009 becomes 64012.
                type == DataType.INT8 ? (layer.outputs() + 3) / 4 * 4 : layer.outputs(),
                type,
                layer.f32Out(),
                random((long) rows * layer.inputs(), type, 1),
                randomWeights(layer, type));
    }

    /** Of bf16 values, x (rows, inputs) and W (outputs, inputs). */
    CublasProduct(Tensor x, Tensor w, boolean f32Out) {
        this(
                (int) x.shape()[0],
                (int) x.shape()[1],
                (int) w.shape()[0],
                DataType.BF16,
                f32Out,
                DeviceMemory.ofBf16(x),
                List.of(DeviceMemory.ofBf16(w)));
    }

    private CublasProduct(
            int rows,
            int inputs,
            int outputs,
            DataType type,
            boolean f32Out,
            DeviceMemory in,
            List<DeviceMemory> weights) {
        this.rows = rows;
        this.outputs = outputs;
        this.f32Out = f32Out;
        this.in = in;
        this.weights = weights;
        stride = (outputs + PADDING - 1) / PADDING * PADDING;
        boolean int8 = type == DataType.INT8;
        out = new DeviceMemory((long) rows * stride * (int8 || f32Out ? 4 : 2));
        one = int8 ? new IntPointer(new int[] {1}) : new FloatPointer(new float[] {1});
        zero = int8 ? new IntPointer(new int[] {0}) : new FloatPointer(new float[] {0});

        int stored = int8 ? CUDA_R_8I : CUDA_R_16BF;
        int result = int8 ? CUDA_R_32I : f32Out ? CUDA_R_32F : CUDA_R_16BF;
        Status.cublas(cublasLtCreate(handle), "cublasLtCreate");
        Status.cublas(
                cublasLtMatmulDescInit(operation, int8 ? CUBLAS_COMPUTE_32I : CUBLAS_COMPUTE_32F, int8 ? CUDA_R_32I : CUDA_R_32F),
                "cublasLtMatmulDescInit");
        try (IntPointer transposed = new IntPointer(new int[] {CUBLAS_OP_T})) {
            Status.cublas(
                    cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSA, transposed, Integer.BYTES),
                    "cublasLtMatmulDescSetAttribute");
        }
        layout(weightLayout, stored, inputs, outputs, inputs);
        layout(inLayout, stored, inputs, rows, inputs);
        layout(outLayout, result, outputs, rows, stride);
        choose();
    }

    private static DeviceMemory random(long elements, DataType type, long seed) {
        return type == DataType.INT8 ? DeviceMemory.randomInt8(elements, seed) : DeviceMemory.randomBf16(elements, seed);
    }

    private static List<DeviceMemory> randomWeights(LinearLayer layer, DataType type) {
        int outputs = (layer.outputs() + 3) / 4 * 4;
        List<DeviceMemory> all = new ArrayList<>();
        for (int i = 0; i < layer.copies(type); i++) {
            all.add(random((long) outputs * layer.inputs(), type, 2));
        }
        return all;
    }

    private static void layout(cublasLtMatrixLayoutOpaque_t layout, int type, long rows, long cols, long stride) {
        Status.cublas(cublasLtMatrixLayoutInit(layout, type, rows, cols, stride), "cublasLtMatrixLayoutInit");
    }

    private void choose() {
        try (cublasLtMatmulPreferenceOpaque_t preference = new cublasLtMatmulPreferenceOpaque_t();
                SizeTPointer most = new SizeTPointer(1).put(WORKSPACE);
                IntPointer found = new IntPointer(1)) {
            Status.cublas(cublasLtMatmulPreferenceInit(preference), "cublasLtMatmulPreferenceInit");
            Status.cublas(
                    cublasLtMatmulPreferenceSetAttribute(
                            preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, most, Long.BYTES),
                    "cublasLtMatmulPreferenceSetAttribute");
            Status.cublas(
                    cublasLtMatmulAlgoGetHeuristic(
                            handle, operation, weightLayout, inLayout, outLayout, outLayout, preference, 1, choice, found),
                    "cublasLtMatmulAlgoGetHeuristic");
            if (found.get() == 0) {
                throw new IllegalStateException("cuBLASLt has no algorithm for this product");
            }
        }
    }

    @Override
    void queue() {
        turn = (turn + 1) % weights.size();
        Status.cublas(
                cublasLtMatmul(
                        handle, operation, one, weights.get(turn).address(), weightLayout, in.address(), inLayout, zero,
                        out.address(), outLayout, out.address(), outLayout, choice.algo(), workspace.address(), WORKSPACE,
                        null),
                "cublasLtMatmul");
    }

    /** What came out: (rows, outputs). */
    Tensor result() {
        Status.cuda(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
        return f32Out ? out.readF32(rows, outputs, stride) : out.readBf16(rows, outputs, stride);
    }

    @Override
    public void close() {
        cublasLtDestroy(handle);
        in.close();
        weights.forEach(DeviceMemory::close);
        out.close();
        workspace.close();
    }
}
