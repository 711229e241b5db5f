package io.github.internvl4j.bench.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.runtime.Factors;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class ComparisonTest {
    private static List<String> names(boolean tiny) {
        return Comparison.all(tiny).stream().map(Comparison::name).toList();
    }

    @Test
    void comparisonsHaveNamesOfTheirOwn() {
        Set<String> names = new HashSet<>();
        for (Comparison comparison : Comparison.all(false)) {
            assertTrue(names.add(comparison.name()), comparison.name());
            assertEquals(comparison.peers().size(), new HashSet<>(comparison.peers()).size(), comparison.name());
        }
    }

    @Test
    void everyComparisonCanBeTriedOnATinyShape() {
        assertEquals(names(false), names(true));
        for (Comparison comparison : Comparison.all(true)) {
            String shape = comparison.task().kind() == Task.Kind.MATMUL ? "16x128x64" : "tiny";
            assertEquals(shape, comparison.task().shape(), comparison.name());
        }
    }

    @Test
    void decodingIsTimedOverTheWholeContextAndLayersInTheirTrueSize() {
        List<String> names = names(false);
        for (int past : new int[] {0, 256, 1024, 2048, 4000}) {
            assertTrue(
                    names.containsAll(List.of("decode-" + past + "-bf16", "decode-" + past + "-int8")),
                    names.toString());
        }
        for (String ours : List.of("bf16", "bf16-activations")) {
            assertTrue(names.contains("yi-34b-layer-prefill-" + ours), names.toString());
            assertTrue(names.contains("intern-vit-6b-layer-" + ours), names.toString());
        }
        assertTrue(
                names.containsAll(List.of("yi-34b-layer-decode-bf16", "yi-34b-layer-decode-int8")), names.toString());
    }

    @Test
    void bf16ByBf16StandsBesidePeersThatMultiplyTheSame() {
        for (Comparison comparison : Comparison.all(false)) {
            boolean rounds = comparison.name().endsWith("-bf16-activations");
            assertEquals(rounds, comparison.ours().hasBf16Activations(), comparison.name());
            assertEquals(rounds, comparison.ours().factors() == Factors.BF16, comparison.name());
            boolean sameFactors = comparison.peers().stream()
                    .anyMatch(peer -> peer.format() == Format.BF16 && peer.factors() == Factors.BF16);
            assertTrue(sameFactors || !rounds, comparison.name());
        }
    }

    @Test
    void whatASideMultiplies() {
        assertEquals(Factors.F32, Side.ours(Format.BF16).factors());
        assertEquals(Factors.INT8, Side.ours(Format.INT8).factors());
        assertEquals(Factors.F32, new Side(Engine.ONEDNN, Format.BF16, OneDnnMatMul.WIDE_ACTIVATIONS).factors());
        assertEquals(Factors.BF16, new Side(Engine.ONEDNN, Format.BF16, Side.BF16_ACTIVATIONS).factors());
        assertEquals(Factors.F32, new Side(Engine.LLAMA_CPP, Format.F16, LlamaCpp.FLASH).factors());
        assertEquals(Factors.BF16, new Side(Engine.IK_LLAMA_CPP, Format.F16, LlamaCpp.FLASH).factors());
        assertEquals(Factors.INT8, new Side(Engine.IK_LLAMA_CPP, Format.Q8_0, "").factors());
        assertFalse(new Side(Engine.PYTORCH, Format.BF16, Torch.MKL).hasBf16Activations(), "it is not asked");
    }
}
