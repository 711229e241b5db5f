package io.github.internvl4j.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What transformers does if a tokenizer_config.json says something else (settings/make.py). */
class TokenizerSettingsTest {
    static Stream<JsonNode> cases() throws IOException {
        try (InputStream in = TokenizerSettingsTest.class.getResourceAsStream("settings/vectors.json")) {
            JsonNode all = TextTestData.JSON.readTree(in);
            assertEquals(20, all.size());
            return StreamSupport.stream(all.spliterator(), false);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void otherSettings(JsonNode given, @TempDir Path folder) throws IOException {
        String name = given.get("base").textValue();
        Path base = TextTestData.all().stream()
                .filter(path -> path.endsWith(name))
                .findFirst()
                .orElseThrow();
        try (Stream<Path> files = Files.list(base)) {
            for (Path file : files.filter(path -> path.toString().matches(".*(json|txt|model)"))
                    .toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        Path config = folder.resolve("tokenizer_config.json");
        JsonNode settings = TextTestData.json(config);
        merge((ObjectNode) settings, given.get("config"));
        Files.writeString(config, settings.toString());
        Tokenizer tokenizer = Tokenizer.load(folder);
        assertTrue(given.get("vectors").size() > 30);
        for (JsonNode vector : given.get("vectors")) {
            int[] ids = TextTestData.ints(vector.get("ids"));
            if (vector.has("text")) {
                assertArrayEquals(ids, tokenizer.encode(vector.get("text").textValue()), vector::toString);
            }
            assertEquals(vector.get("decoded").textValue(), tokenizer.decode(ids, false), vector::toString);
            assertEquals(vector.get("decoded_skip_special").textValue(), tokenizer.decode(ids, true), vector::toString);
        }
    }

    private static void merge(ObjectNode value, JsonNode change) {
        change.properties().forEach(entry -> {
            if (entry.getValue().isNull()) {
                value.remove(entry.getKey());
            } else if (entry.getValue().isObject()) {
                merge(value.withObjectProperty(entry.getKey()), entry.getValue());
            } else {
                value.set(entry.getKey(), entry.getValue());
            }
        });
    }
}
