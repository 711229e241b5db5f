package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.InvalidOptionException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What two emulated GPUs show that one real one may not. Needs the library that {@code scripts/test} builds for it, hence the tag,
 * which other runs leave out.
 */
@Tag("emulated")
class EmulatedGpuTest {
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
    void theCpuServesWhatGpusCannotAndSaysWhy() {
        Oracle oracle = Oracle.load("hermes-gqa7");
        assertEquals(
                "cuda:0 (emulated GPU)",
                InternVL.plan(oracle.directory(), LoadOptions.defaults()).device());
        String reason = "; not on a GPU: the precision is f32, expected bf16 or f16 on a GPU";
        LoadOptions options = LoadOptions.defaults().precision(Precision.F32);
        assertEquals("cpu" + reason, InternVL.plan(oracle.directory(), options).device());
        try (InternVL model = load(oracle, Precision.F32, Device.AUTO)) {
            assertTrue(model.backend().endsWith(reason), model::backend);
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
}
