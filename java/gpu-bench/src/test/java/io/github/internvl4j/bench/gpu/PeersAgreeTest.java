package io.github.internvl4j.bench.gpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.runtime.KernelBenchmark;
import io.github.internvl4j.tensor.Tensor;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Ours and NVIDIA's from the same operands, at the sizes of the published model. Needs a GPU: scripts/gpu-suite runs it. */
@Tag("gpu")
class PeersAgreeTest {
    /** Each rounds its result to bf16 once. */
    private static final double TWO_ROUNDINGS = 2.0 / 256;

    @BeforeEach
    void thePeersAreThere() {
        CudaLibraries.CUBLAS.require();
        CudaLibraries.CUDNN.require();
    }

    static Stream<Arguments> everyLayer() {
        return Stream.of(LinearLayer.values())
                .flatMap(layer -> Stream.of(1, 64, 1025).map(rows -> Arguments.of(layer, rows)));
    }

    private static void assertAgrees(String what, Tensor ours, Tensor theirs) {
        double error = ours.relativeError(theirs.reshape(ours.shape()));
        assertTrue(error <= TWO_ROUNDINGS, what + ": relative difference " + error);
    }

    @ParameterizedTest
    @MethodSource("everyLayer")
    void everyProductIsCublass(LinearLayer layer, int rows) {
        String spec = layer.spec(rows, DataType.BF16, Main.DEVICE, 1);
        try (KernelBenchmark ours = new KernelBenchmark(spec, 0);
                CublasProduct theirs = new CublasProduct(ours.operand(0), ours.operand(1), layer.f32Out())) {
            ours.run();
            theirs.run(1);
            assertAgrees(layer.label(), ours.operand(2), theirs.result());
        }
    }

    @Test
    void thePatchesAreCudnns() {
        try (KernelBenchmark ours = Image.ourPatches(Main.DEVICE);
                CudnnPatches theirs = new CudnnPatches(ours.operand(0), ours.operand(1))) {
            ours.run();
            theirs.run(1);
            assertAgrees("patches", ours.operand(2), theirs.result());
        }
    }

    @Test
    void theAttentionIsCudnns() {
        try (KernelBenchmark ours = Image.ourAttention(Main.DEVICE);
                CudnnAttention theirs = new CudnnAttention(ours.operand(0))) {
            ours.run();
            theirs.run(1);
            assertAgrees("attention", ours.operand(1), theirs.result());
        }
    }
}
