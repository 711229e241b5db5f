package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.runtime.KernelBenchmark;
import io.github.internvl4j.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The oracle through the CUDA backend, on one GPU and on two where there are two: the emulated ones of {@code scripts/test} and the
 * real ones of {@code scripts/gpu-suite}. Needs the library that those build, hence the tags, which other runs leave out.
 */
@Tag("emulated")
@Tag("gpu")
class GpuTest {
    /** Tokens of an answer: the emulation is slow. */
    private static final int ANSWER = 2;
    /** Another token than the original's is right where the original's logits are closer than 16 bits can tell. */
    private static final double MARGIN = 0.05;

    static Stream<Arguments> everyOracleAndPrecision() {
        return Oracle.names()
                .flatMap(name -> Stream.of(
                        Arguments.of(name, Precision.BF16, Device.CUDA),
                        Arguments.of(name, Precision.F16, severalGpus())));
    }

    private static Device severalGpus() {
        return gpus().size() > 1 ? Device.cuda(0, 1) : Device.CUDA;
    }

    private static List<String> gpus() {
        return InternVL.systemInfo().devices().stream()
                .filter(SystemInfo.DeviceInfo::available)
                .map(SystemInfo.DeviceInfo::name)
                .filter(name -> name.startsWith("cuda"))
                .toList();
    }

    /**
     * All of them on a GPU. Over the emulation the native tests answer them all, and what the binding adds shows in two: text
     * alone, and images that share a place with a turn before.
     */
    private static List<Oracle.Dialog> dialogs(Oracle oracle) {
        return gpus().get(0).contains("emulated GPU")
                ? List.of(oracle.dialog("text.0"), oracle.dialog("images-combined.1"))
                : oracle.dialogs();
    }

    private static InternVL load(Oracle oracle, Precision precision, Device device) {
        return InternVL.load(
                oracle.directory(), LoadOptions.defaults().precision(precision).device(device));
    }

    @Test
    void aBenchmarkedKernelComputesWhatTheCpuDoesAndKeepsTime() {
        String spec = "{\"op\": \"matmul\", \"m\": 5, \"n\": 24, \"k\": 64, \"dtype\": \"bf16\", \"copies\": 2,"
                + " \"device\": \"%s\"}";
        try (KernelBenchmark gpu = new KernelBenchmark(spec.formatted("cuda:0"), 0);
                KernelBenchmark cpu = new KernelBenchmark(spec.formatted("cpu"), 0)) {
            assertTrue(gpu.seconds(3) > 0);
            cpu.run();
            Tensor result = gpu.operand(2);
            assertEquals(5 * 24, result.size());
            // The GPU rounds the input and the result to bf16.
            assertTrue(result.relativeError(cpu.operand(2)) < 0.01);
            assertEquals(cpu.operations(), gpu.operations());
        }
    }

    @ParameterizedTest
    @MethodSource("everyOracleAndPrecision")
    void everyActivationIsWithinItsBound(String name, Precision precision, Device device) {
        Oracle oracle = Oracle.load(name);
        try (InternVL model = load(oracle, precision, device)) {
            oracle.assertActivations(model, precision);
        }
    }

    @ParameterizedTest
    @MethodSource("everyOracleAndPrecision")
    void dialogsAnswerAsTheOriginalDoes(String name, Precision precision, Device device) {
        Oracle oracle = Oracle.load(name);
        Map<String, Tensor> original = oracle.activations();
        try (InternVL model = load(oracle, precision, device)) {
            for (Oracle.Dialog dialog : dialogs(oracle)) {
                Reply reply = model.generate(oracle.prompt(dialog), GenerationConfig.greedy(ANSWER));
                assertEquals(dialog.inputIds(), reply.promptTokens());
                assertAnswers(dialog, reply, original.get(dialog.name() + "/greedy_logits"));
            }
        }
    }

    /** Up to the first token that is a matter of rounding: of as many as there are logits. */
    private static void assertAnswers(Oracle.Dialog dialog, Reply reply, Tensor originalLogits) {
        float[] logits = originalLogits.toArray();
        int vocabulary = (int) originalLogits.shape()[1];
        for (int i = 0; i < Math.min(reply.tokens().size(), originalLogits.shape()[0]); i++) {
            int expected = dialog.greedyTokens().get(i);
            int got = reply.tokens().get(i);
            float lead = logits[i * vocabulary + expected] - logits[i * vocabulary + got];
            assertTrue(lead <= MARGIN, dialog.name() + ", token " + i + ": " + got + " is behind by " + lead);
            if (got != expected) {
                return;
            }
        }
    }
}
