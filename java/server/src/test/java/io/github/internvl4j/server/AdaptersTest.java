package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.Adapter;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.tensor.Safetensors;
import io.github.internvl4j.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Adapters are models of their own to those who ask. */
class AdaptersTest {
    private static final String LAYER = "base_model.model.model.layers.0.mlp.down_proj.lora_";

    @RegisterExtension
    static final Fixture fixture = new Fixture();

    /** Of the demo's first layer, large enough to be heard. */
    private static Adapter adapter(Path folder) throws Exception {
        Safetensors.write(
                folder.resolve("adapter_model.safetensors"),
                Map.of(LAYER + "A.weight", numbers(4, 512), LAYER + "B.weight", numbers(256, 4)));
        Files.writeString(folder.resolve("adapter_config.json"), "{\"r\": 4, \"lora_alpha\": 64}");
        return Fixture.MODEL.loadAdapter(folder);
    }

    private static Tensor numbers(int rows, int cols) {
        Random random = new Random(1);
        float[] values = new float[rows * cols];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        return Tensor.of(values, rows, cols);
    }

    private static String asked(String model) {
        return "{\"model\": \"" + model
                + "\", \"temperature\": 0, \"max_tokens\": 12, \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}";
    }

    private static JsonNode answer(String model) throws Exception {
        return fixture.answer("/v1/chat/completions", asked(model));
    }

    private static String text(JsonNode answer) {
        return answer.at("/choices/0/message/content").asText();
    }

    @Test
    void anAdapterIsListedAndChosenByItsName(@TempDir Path folder) throws Exception {
        try (Adapter tuned = adapter(folder)) {
            String plain = text(answer("demo"));
            fixture.server.serve(Fixture.NAME, Fixture.MODEL, Map.of("tuned", tuned));
            JsonNode models = Fixture.JSON.readTree(fixture.get("/v1/models").body());
            assertEquals("demo", models.at("/data/0/id").asText());
            assertEquals("tuned", models.at("/data/1/id").asText());
            assertEquals("demo", models.at("/data/1/parent").asText());
            assertEquals(200, fixture.get("/v1/models/tuned").statusCode());

            JsonNode with = answer("tuned");
            assertEquals("tuned", with.get("model").asText());
            assertNotEquals(plain, text(with));
            assertEquals(plain, text(answer("demo")));
            String refusal =
                    fixture.post("/v1/chat/completions", asked("other")).body();
            assertTrue(refusal.contains("demo, tuned"), refusal);

            fixture.server.serve(Fixture.NAME, Fixture.MODEL);
            assertEquals(404, fixture.get("/v1/models/tuned").statusCode());
            assertEquals(
                    404, fixture.post("/v1/chat/completions", asked("tuned")).statusCode());
            assertThrows(
                    InvalidOptionException.class,
                    () -> fixture.server.serve(Fixture.NAME, Fixture.MODEL, Map.of(Fixture.NAME, tuned)));
        }
    }
}
