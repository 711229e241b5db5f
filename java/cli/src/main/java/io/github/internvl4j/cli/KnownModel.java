package io.github.internvl4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.server.openai.JsonText;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A published model of the family, as models.json describes it.
 *
 * @param names of the repositories whose configurations say the same
 * @param tower which vision tower
 * @param decoder which decoder
 * @param template its conversation template
 * @param proof the checkpoints of test-data that carry the proof for its kind; empty for none
 * @param missing what its configuration does not tell and would be needed; null for nothing
 * @param config its config.json, without what the library does not read
 */
record KnownModel(
        String names,
        String tower,
        String decoder,
        String template,
        String proof,
        @Nullable String missing,
        JsonNode config) {
    private static final List<String> PARTS = List.of("vision_config", "llm_config");

    /** All of them, the oldest first. */
    static List<KnownModel> all() {
        JsonNode file = read();
        List<KnownModel> models = new ArrayList<>();
        file.get("models").forEach(row -> models.add(of(row, file)));
        return models;
    }

    private static JsonNode read() {
        try (InputStream in = Objects.requireNonNull(KnownModel.class.getResourceAsStream("models.json"))) {
            return JsonText.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What all have in common, then what the tower, the decoder and the row say. */
    private static KnownModel of(JsonNode row, JsonNode file) {
        JsonNode decoder = file.get("decoders").path(row.path("decoder").asText());
        ObjectNode config = file.get("top").deepCopy();
        PARTS.forEach(config::putObject);
        add(config, decoder.path("top"), row.path("top"));
        add(
                (ObjectNode) config.get("vision_config"),
                file.get("towers").path(row.path("tower").asText()));
        add(
                (ObjectNode) config.get("llm_config"),
                file.get("llm_config"),
                decoder.path("llm_config"),
                row.path("llm_config"));
        String template = row.path("template").asText("");
        config.put("template", template);
        String proof = row.path("proof").asText(decoder.path("proof").asText(""));
        return new KnownModel(
                row.get("name").asText(),
                row.path("tower").asText(""),
                row.path("decoder").asText(""),
                template,
                proof,
                row.path("missing").textValue(),
                config);
    }

    private static void add(ObjectNode to, JsonNode... more) {
        for (JsonNode fields : more) {
            fields.properties().forEach(field -> to.set(field.getKey(), field.getValue()));
        }
    }
}
