package io.github.internvl4j.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.tensor.ActivationComparison.Entry;
import io.github.internvl4j.tensor.ActivationComparison.Status;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ActivationComparisonTest {
    private static final List<String> MODEL_ORDER = List.of(
            "greedy_logits",
            "a/vision.embeddings",
            "a/vision.layers.0",
            "a/vision.layers.2",
            "a/vision.layers.10",
            "a/vision.pixel_shuffle",
            "a/projector",
            "a/decoder.embeddings",
            "a/decoder.layers.1",
            "a/decoder.layers.11",
            "a/decoder.norm",
            "a/logits",
            "a/greedy_logits",
            "a/zebra",
            "a.10/projector");

    @Test
    void ordersAsTheModelComputes() {
        List<String> shuffled = new ArrayList<>(MODEL_ORDER);
        Random random = new Random(1);
        for (int i = 0; i < 100; i++) {
            Collections.shuffle(shuffled, random);
            shuffled.sort(ActivationOrder.INSTANCE);
            assertEquals(
                    MODEL_ORDER.subList(1, 14),
                    shuffled.stream().filter(n -> n.startsWith("a/")).toList());
        }
    }

    @Test
    void findsWhereTheErrorBegins() {
        Map<String, Tensor> reference = Map.of(
                "vision.embeddings", row(100, 0),
                "vision.layers.2", row(100, 0),
                "vision.layers.10", row(100, 0),
                "projector", row(100, 0));
        Map<String, Tensor> actual = Map.of(
                "vision.embeddings", row(100, 0.001f),
                "vision.layers.2", row(100, 0.002f),
                "vision.layers.10", row(100, 1),
                "projector", row(100, 1.5f));
        ActivationComparison comparison = ActivationComparison.compare(actual, reference, 1e-4);
        assertEquals(
                List.of("vision.embeddings", "vision.layers.2", "vision.layers.10", "projector"),
                comparison.entries().stream().map(Entry::name).toList());
        assertFalse(comparison.passes());
        assertEquals(
                "vision.layers.10",
                comparison.firstOverTolerance().orElseThrow().name());
        Entry growth = comparison.largestGrowth().orElseThrow();
        assertEquals("vision.layers.10", growth.name());
        assertEquals(500, growth.growth(), 5);
        assertEquals(0.01, growth.relativeError(), 1e-9);
        assertEquals(1, growth.maxDifference(), 1e-6);
        assertEquals("projector", comparison.worst().orElseThrow().name());
    }

    @Test
    void reportsWhatCannotBeCompared() {
        Map<String, Tensor> actual =
                Map.of("a", Tensor.allocate(1, 1, 2, 3), "b", Tensor.allocate(2, 3), "c", Tensor.allocate(1));
        Map<String, Tensor> reference =
                Map.of("a", Tensor.allocate(2, 3), "b", Tensor.allocate(3, 2), "d", Tensor.allocate(1));
        ActivationComparison comparison = ActivationComparison.compare(actual, reference, 0);
        assertEquals(
                List.of(Status.COMPARED, Status.SHAPE_MISMATCH, Status.UNEXPECTED, Status.MISSING),
                comparison.entries().stream().map(Entry::status).toList());
        assertTrue(comparison.entries().get(0).withinTolerance());
        assertFalse(comparison.passes());
        assertTrue(comparison.firstOverTolerance().isEmpty());
        assertEquals(List.of(3L, 2L), comparison.entries().get(1).referenceShape());
        assertFalse(ActivationComparison.compare(Map.of(), Map.of(), 0).passes());
    }

    @Test
    void nanIsNeverWithinTolerance() {
        ActivationComparison comparison = ActivationComparison.compare(
                Map.of("a", row(Float.NaN, 0)), Map.of("a", row(1, 0)), Double.POSITIVE_INFINITY);
        assertFalse(comparison.passes());
        assertEquals("a", comparison.firstOverTolerance().orElseThrow().name());
        assertThrows(InvalidOptionException.class, () -> ActivationComparison.compare(Map.of(), Map.of(), Double.NaN));
        assertThrows(InvalidOptionException.class, () -> ActivationComparison.compare(Map.of(), Map.of(), -1));
    }

    @Test
    void aPrefixPicksOneRunOfAFile(@TempDir Path folder) {
        Path dump = folder.resolve("dump.safetensors");
        Path oracle = folder.resolve("oracle.safetensors");
        Safetensors.write(dump, Map.of("projector", row(2, 0)));
        Safetensors.write(oracle, Map.of("text.0/projector", row(1, 0), "image.0/projector", row(2, 0)));
        assertTrue(ActivationComparison.compare(dump, oracle, 0, "image.0/").passes());
        assertTrue(ActivationComparison.compare(oracle, dump, 0, "image.0/").passes());
        assertFalse(ActivationComparison.compare(dump, oracle, 0, "text.0/").passes());
        assertTrue(ActivationComparison.compare(oracle, oracle, 0, "").passes());
        assertThrows(CheckpointException.class, () -> ActivationComparison.compare(dump, oracle, 0, "image.1/"));
    }

    /** One value and an error added to it. */
    private static Tensor row(float value, float error) {
        return Tensor.of(new float[] {value + error}, 1);
    }
}
