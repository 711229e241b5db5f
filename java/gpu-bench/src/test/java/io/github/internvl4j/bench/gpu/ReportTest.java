package io.github.internvl4j.bench.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ReportTest {
    private static final Roof ROOF = new Roof(2e12, 3e14);

    private static String product(String whose, String type, double microseconds) {
        return ("{\"benchmark\": \"io.github.internvl4j.bench.gpu.Products.%s\","
                        + " \"params\": {\"layer\": \"DOWN\", \"rows\": \"1\", \"type\": \"%s\"},"
                        + " \"primaryMetric\": {\"score\": %s}}")
                .formatted(whose, type, microseconds);
    }

    private static String image(String benchmark, double microseconds) {
        return "{\"benchmark\": \"io.github.internvl4j.bench.gpu.Images.%s\", \"primaryMetric\": {\"score\": %s}}"
                .formatted(benchmark, microseconds);
    }

    private static List<String> report(Optional<Roof> roof, String... results) throws IOException {
        JsonNode json = new ObjectMapper().readTree("[" + String.join(",", results) + "]");
        return new Report(List.of(json), roof).text().lines().toList();
    }

    @Test
    void aLineHasTheFloorOursThePeersAndTheirRatios() throws IOException {
        List<String> lines = report(Optional.of(ROOF), product("ours", "BF16", 300), product("cublas", "BF16", 200));
        // 20480 x 7168 weights of 2 bytes, and 2 * (20480 + 7168) bytes of a row, at 2 TB/s: 146.8 us.
        assertEquals("down, 1 row, bf16 146.8 300.0 2.04 cuBLAS 200.0 1.50", words(lines.get(1)));
    }

    @Test
    void int8HasHalfTheBytesAndTwiceTheSpeed() throws IOException {
        assertEquals(ROOF.floor(Work.of(LinearLayer.DOWN, 1025, DataType.BF16), DataType.INT8) * 2,
                ROOF.floor(Work.of(LinearLayer.DOWN, 1025, DataType.BF16), DataType.BF16), 1e-6);
        List<String> lines = report(Optional.of(ROOF), product("ours", "INT8", 100));
        assertEquals("down, 1 row, int8 73.4 100.0 1.36 cuBLAS - -", words(lines.get(1)));
    }

    @Test
    void whatIsMissingIsSaid() throws IOException {
        List<String> lines = report(
                Optional.empty(),
                image("patchesOurs", 10),
                image("attentionOurs", 40),
                image("attentionCudnn", 50));
        assertEquals(4, lines.size(), lines::toString);
        assertEquals("patches of an image, bf16 - 10.0 - cuDNN - -", words(lines.get(1)));
        assertEquals("attention of an image, bf16 - 40.0 - cuDNN 50.0 0.80", words(lines.get(2)));
        // Two types, nine layers, six numbers of rows, and the image's patches: only its attention is whole.
        assertTrue(lines.get(3).startsWith("109 of 110 operations lack"), lines.get(3));
    }

    @Test
    void theRoofIsReadFromTheFirstLineOfTheKernelsTimes() {
        String times = "NVIDIA H100: 3012 GB/s measured, 989 TFLOP/s nominal\nqkv ...";
        assertEquals(Optional.of(new Roof(3012e9, 989e12)), Roof.in(times));
        assertFalse(Roof.in("cudaMalloc: out of memory").isPresent());
    }

    private static String words(String line) {
        return line.trim().replaceAll("\\s+", " ");
    }
}
