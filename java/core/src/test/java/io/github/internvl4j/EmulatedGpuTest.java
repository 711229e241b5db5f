package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.InvalidOptionException;
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
 * The oracle through the CUDA backend on emulated GPUs. Needs the library that {@code scripts/test} builds for it, hence the
 * tag, which other runs leave out.
 */
@Tag("emulated")
class EmulatedGpuTest {
    /** Tokens of an answer: the emulation is slow. */
    private static final int ANSWER = 2;
    /** Another token than the original's is right where the original's logits are closer than 16 bits can tell. */
    private static final double MARGIN = 0.05;

    static Stream<Arguments> everyOracleAndPrecision() {
        return Oracle.names().flatMap(name -> Stream.of(
                Arguments.of(name, Precision.BF16, Device.CUDA), Arguments.of(name, Precision.F16, new Device("cuda:0,1"))));
    }

    private static InternVL load(Oracle oracle, Precision precision, Device device) {
        return InternVL.load(
                oracle.directory(), LoadOptions.defaults().precision(precision).device(device));
    }

    @Test
    void twoGpusAreThere() {
        List<String> names = InternVL.systemInfo().devices().stream()
                .filter(SystemInfo.DeviceInfo::available)
                .map(SystemInfo.DeviceInfo::name)
                .toList();
        assertEquals(3, names.size(), names::toString);
        assertTrue(names.get(2).startsWith("cuda:1 (emulated GPU"), names::toString);
    }

    @Test
    void whatAGpuCannotDoIsRefused() {
        Oracle oracle = Oracle.load("hermes-gqa7");
        assertThrows(InvalidOptionException.class, () -> load(oracle, Precision.F32, Device.CUDA));
        assertThrows(InvalidOptionException.class, () -> load(oracle, Precision.BF16, Device.cuda(2)));
        assertThrows(InvalidOptionException.class, () -> load(oracle, Precision.BF16, new Device("cuda:0=1,1=7")));
        assertThrows(InvalidOptionException.class, () -> new Device("cuda:0=1,1"));
        for (KvCacheType type : List.of(KvCacheType.F32, KvCacheType.BF16, KvCacheType.INT8)) {
            LoadOptions options = LoadOptions.defaults().device(Device.CUDA).kvCache(type);
            assertThrows(InvalidOptionException.class, () -> InternVL.load(oracle.directory(), options));
        }
    }

    @Test
    void layersGoWhereTheDeviceSays() {
        Oracle oracle = Oracle.load("hermes-gqa7");
        int layers = InternVL.inspect(oracle.directory()).decoderLayers();
        Device device = new Device("cuda:0=1,1=" + (layers - 1));
        try (InternVL model = load(oracle, Precision.INT8, device)) {
            assertTrue(model.backend().contains("layers 1 to " + (layers - 1)), model::backend);
            Oracle.Dialog dialog = oracle.dialog("text.0");
            Reply reply = model.generate(oracle.prompt(dialog), GenerationConfig.greedy(1));
            assertEquals(dialog.inputIds(), reply.promptTokens());
            assertEquals(1, reply.tokens().size());
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
    void everyDialogAnswersAsTheOriginalDoes(String name, Precision precision, Device device) {
        Oracle oracle = Oracle.load(name);
        Map<String, Tensor> original = oracle.activations();
        try (InternVL model = load(oracle, precision, device)) {
            for (Oracle.Dialog dialog : oracle.dialogs()) {
                Reply reply = model.generate(oracle.prompt(dialog), GenerationConfig.greedy(ANSWER));
                assertEquals(dialog.inputIds(), reply.promptTokens());
                assertAnswers(dialog, reply, original.get(dialog.name() + "/greedy_logits"));
            }
        }
    }

    /** Up to the first token that is a matter of rounding. */
    private static void assertAnswers(Oracle.Dialog dialog, Reply reply, Tensor originalLogits) {
        float[] logits = originalLogits.toArray();
        int vocabulary = (int) originalLogits.shape()[1];
        for (int i = 0; i < reply.tokens().size(); i++) {
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
