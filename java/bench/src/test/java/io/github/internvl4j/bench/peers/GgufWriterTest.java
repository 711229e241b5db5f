package io.github.internvl4j.bench.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class GgufWriterTest {
    private static final int COLUMNS = 96;
    private static final int ROWS = 3;

    @TempDir
    private Path folder;

    @Test
    void metadataOfEveryKindComesBack() throws Exception {
        Path file = folder.resolve("m.gguf");
        new GgufWriter()
                .metadata("text", "ä語")
                .metadata("unsigned", -1)
                .metadata("real", 1e-5f)
                .metadata("yes", true)
                .metadata("no", false)
                .metadata("integers", new int[] {-1, 2})
                .metadata("reals", new float[] {0.5f, -3})
                .metadata("texts", List.of("a", "", "語"))
                .write(file);
        GgufFile read = new GgufFile(file);
        assertEquals(
                List.of("text", "unsigned", "real", "yes", "no", "integers", "reals", "texts"),
                List.copyOf(read.metadata.keySet()));
        assertEquals(
                List.of(
                        "ä語",
                        0xffffffffL,
                        1e-5f,
                        true,
                        false,
                        List.of(-1, 2),
                        List.of(0.5f, -3f),
                        List.of("a", "", "語")),
                List.copyOf(read.metadata.values()));
        assertFalse(Files.exists(folder.resolve("m.gguf.part")));
    }

    @ParameterizedTest
    @EnumSource(GgufType.class)
    void valuesComeBackWithinTheTypesRounding(GgufType type) throws Exception {
        Path file = folder.resolve("t.gguf");
        Random written = new Random(1);
        new GgufWriter()
                .tensor("odd", GgufType.F32, values -> values[0] = 7, 1)
                .tensor("t", type, values -> fill(values, written), COLUMNS, ROWS)
                .tensor("last", GgufType.F32, values -> values[0] = 9, 1)
                .write(file);
        GgufFile read = new GgufFile(file);
        assertEquals(List.of((long) COLUMNS, (long) ROWS), read.tensors.get("t").size());
        read.tensors.values().forEach(tensor -> assertEquals(0, tensor.offset() % 32));
        Random expected = new Random(1);
        float[] values = read.values("t");
        float[] row = new float[COLUMNS];
        for (int i = 0; i < ROWS; i++) {
            fill(row, expected);
            for (int j = 0; j < COLUMNS; j++) {
                assertEquals(
                        row[j],
                        values[i * COLUMNS + j],
                        rounding(type) * (type == GgufType.Q8_0 ? 4 : Math.abs(row[j])));
            }
        }
        assertEquals(7, read.values("odd")[0]);
        assertEquals(9, read.values("last")[0]);
    }

    private static void fill(float[] values, Random random) {
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.max(-4, Math.min(4, (float) random.nextGaussian()));
        }
    }

    /** Of a value's size; of Q8_0, of the block's greatest, which is at most 4, its scale's own included. */
    private static double rounding(GgufType type) {
        return switch (type) {
            case F32 -> 0;
            case F16 -> 0x1p-11;
            case BF16 -> 0x1p-8;
            case Q8_0 -> 0.5 / 127 + 0x1p-11;
        };
    }

    @Test
    void rowsThatAreNoWholeBlocksAreRefused() {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> new GgufWriter().tensor("blk", GgufType.Q8_0, values -> {}, 48, 2));
        assertEquals("rows of tensor blk have 48 values, expected a multiple of 32 for Q8_0", e.getMessage());
    }

    @Test
    void everyHalfIsItselfAndNeighboursRoundToTheNearest() {
        for (int bits = 0; bits < 0x7c00; bits++) {
            float value = GgufFile.half((short) bits);
            assertEquals((short) bits, GgufType.half(value));
            assertEquals((short) (bits | 0x8000), GgufType.half(-value));
            float next = bits == 0x7bff ? 65536 : GgufFile.half((short) (bits + 1));
            float middle = (value + next) / 2;
            assertEquals(bits, GgufType.half(Math.nextDown(middle)));
            assertEquals(bits + 1, GgufType.half(Math.nextUp(middle)));
            assertEquals(bits + (bits & 1), GgufType.half(middle), "ties to even");
        }
        assertEquals(0x7c00, GgufType.half(Float.POSITIVE_INFINITY));
    }

    @ParameterizedTest
    @EnumSource(GgufType.class)
    void aRandomModelHasEveryTensorOfALlama(GgufType type) throws Exception {
        Shape.Decoder shape = new Shape.Decoder(64, 128, 2, 2, 1, 100, 512, 5e6, 1e-5);
        Path file = folder.resolve("model.gguf");
        Path again = folder.resolve("again.gguf");
        RandomGguf.write(file, shape, type);
        RandomGguf.write(again, shape, type);
        assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(again), "the same weights every time");

        GgufFile read = new GgufFile(file);
        assertEquals("llama", read.metadata.get("general.architecture"));
        assertEquals(32L, read.metadata.get("llama.rope.dimension_count"));
        assertEquals(1L, read.metadata.get("llama.attention.head_count_kv"));
        assertEquals(100, ((List<?>) read.metadata.get("tokenizer.ggml.tokens")).size());
        assertEquals(3 + 9 * 2, read.tensors.size());
        assertEquals(List.of(64L, 100L), read.tensors.get("output.weight").size());
        assertEquals(List.of(64L, 32L), read.tensors.get("blk.1.attn_k.weight").size());
        assertEquals(
                List.of(128L, 64L), read.tensors.get("blk.1.ffn_down.weight").size());
        assertEquals(type.id(), read.tensors.get("blk.1.ffn_down.weight").type());
        assertEquals(0, read.tensors.get("output_norm.weight").type(), "norms are f32");

        float[] weights = read.values("blk.0.ffn_gate.weight");
        double squares = 0;
        for (float weight : weights) {
            squares += (double) weight * weight;
        }
        assertEquals(1.0 / 64, squares / weights.length, 0.1 / 64, "variance");
        GgufFile.Tensor last = read.tensors.get("output.weight");
        assertTrue(read.size() >= read.dataBegin + last.offset() + type.bytes(last.count()), "whole");
    }
}
