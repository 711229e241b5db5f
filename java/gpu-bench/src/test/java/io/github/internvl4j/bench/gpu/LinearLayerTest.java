package io.github.internvl4j.bench.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.runtime.KernelBenchmark;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The shapes are the published model's, and a benchmark of them does the work that the report counts. */
class LinearLayerTest {
    private static JsonNode config() throws IOException {
        return new ObjectMapper()
                .readTree(Path.of("../bench/src/main/resources/shapes/internvl-chat-v1-2.json").toFile());
    }

    private static void assertShape(LinearLayer layer, int inputs, int outputs) {
        assertEquals(inputs, layer.inputs(), layer::label);
        assertEquals(outputs, layer.outputs(), layer::label);
    }

    @Test
    void theDecodersLayersAreTheConfigurations() throws IOException {
        JsonNode decoder = config().path("llm_config");
        int hidden = decoder.path("hidden_size").asInt();
        int mlp = decoder.path("intermediate_size").asInt();
        int heads = decoder.path("num_attention_heads").asInt();
        int headDim = hidden / heads;
        assertShape(LinearLayer.QKV, hidden, (heads + 2 * decoder.path("num_key_value_heads").asInt()) * headDim);
        assertShape(LinearLayer.O, heads * headDim, hidden);
        assertShape(LinearLayer.GATE_UP, hidden, 2 * mlp);
        assertShape(LinearLayer.DOWN, mlp, hidden);
        assertShape(LinearLayer.LM_HEAD, hidden, decoder.path("vocab_size").asInt());
    }

    @Test
    void theVisionTowersLayersAndImagesAreTheConfigurations() throws IOException {
        JsonNode vision = config().path("vision_config");
        int hidden = vision.path("hidden_size").asInt();
        int mlp = vision.path("intermediate_size").asInt();
        assertShape(LinearLayer.VIT_QKV, hidden, 3 * hidden);
        assertShape(LinearLayer.VIT_PROJ, hidden, hidden);
        assertShape(LinearLayer.VIT_FC1, hidden, mlp);
        assertShape(LinearLayer.VIT_FC2, mlp, hidden);
        assertEquals(vision.path("image_size").asInt(), Image.SIDE);
        assertEquals(vision.path("patch_size").asInt(), Image.PATCH);
        assertEquals(vision.path("num_attention_heads").asInt(), Image.HEADS);
        assertEquals(hidden, Image.WIDTH);
        assertEquals(1025, Image.TOKENS);
        assertEquals(128, Image.HEAD_DIM);
    }

    @ParameterizedTest
    @EnumSource
    void weightsThatTakeTurnsAreMoreThanAnyCacheHolds(LinearLayer layer) {
        for (DataType type : DataType.values()) {
            assertTrue(layer.copies(type) * layer.weightBytes(type) >= 512L << 20, layer::label);
            assertTrue(layer.copies(type) * layer.weightBytes(type) < 2L << 30, layer::label);
        }
    }

    /** On the CPU, where the specification means the same. */
    @Test
    void aBenchmarkDoesTheWorkThatIsCounted() {
        String spec = LinearLayer.VIT_PROJ.spec(2, DataType.BF16, "cpu", 1);
        try (KernelBenchmark product = new KernelBenchmark(spec, 1)) {
            assertEquals(Work.of(LinearLayer.VIT_PROJ, 2, DataType.BF16).operations(), product.operations());
            assertTrue(product.seconds(2) > 0);
        }
        try (KernelBenchmark patches = Image.ourPatches("cpu");
                KernelBenchmark attention = Image.ourAttention("cpu")) {
            assertEquals(Work.ofPatches().operations(), patches.operations());
            assertEquals(Work.ofAttention().operations(), attention.operations());
        }
    }
}
