package io.github.internvl4j;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.tensor.Safetensors;
import io.github.internvl4j.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;

/** Adapters as PEFT writes them. */
public final class TestAdapters {
    private static final int RANK = 4;
    private static final String LAYER = "base_model.model.model.layers.0.mlp.down_proj.lora_";

    private TestAdapters() {}

    /** What the original was fine-tuned to in the tests of the oracle. */
    public static Path ofOracle() {
        return TestData.root().resolve("hermes-gqa7").resolve("adapter");
    }

    /** One of random numbers for a layer of a checkpoint's decoder, in a folder that is there. */
    public static Path random(Path checkpoint, Path folder, long seed) {
        try {
            JsonNode decoder = new ObjectMapper()
                    .readTree(checkpoint.resolve("config.json").toFile())
                    .get("llm_config");
            long hidden = decoder.get("hidden_size").asLong();
            long inner = decoder.get("intermediate_size").asLong();
            Random random = new Random(seed);
            Safetensors.write(
                    folder.resolve("adapter_model.safetensors"),
                    Map.of(
                            LAYER + "A.weight", numbers(random, RANK, inner),
                            LAYER + "B.weight", numbers(random, hidden, RANK)));
            Files.writeString(
                    folder.resolve("adapter_config.json"),
                    "{\"peft_type\": \"LORA\", \"r\": " + RANK
                            + ", \"lora_alpha\": 8, \"target_modules\": [\"down_proj\"]}");
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Tensor numbers(Random random, long rows, long cols) {
        float[] values = new float[(int) (rows * cols)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (random.nextFloat() - 0.5f) / 4;
        }
        return Tensor.of(values, rows, cols);
    }
}
