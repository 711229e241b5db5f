package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The original scripts' tables: words, tasks, subjects, patterns. They stand in {@code tables.json}. */
final class Tables {
    private static final JsonNode ROOT = read();

    private Tables() {}

    private static JsonNode read() {
        try (InputStream file = Objects.requireNonNull(Tables.class.getResourceAsStream("tables.json"))) {
            return new ObjectMapper().readTree(file);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** @param path such as {@code /mme/Perception} */
    static List<String> list(String path) {
        return strings(ROOT.at(path));
    }

    static Map<String, String> map(String path) {
        Map<String, String> map = new LinkedHashMap<>();
        fields(path).forEach((name, value) -> map.put(name, value.asText()));
        return map;
    }

    static Map<String, List<String>> lists(String path) {
        Map<String, List<String>> lists = new LinkedHashMap<>();
        fields(path).forEach((name, value) -> lists.put(name, strings(value)));
        return lists;
    }

    static String text(String path) {
        return ROOT.at(path).asText();
    }

    private static Map<String, JsonNode> fields(String path) {
        Map<String, JsonNode> fields = new LinkedHashMap<>();
        ROOT.at(path).properties().forEach(field -> fields.put(field.getKey(), field.getValue()));
        return fields;
    }

    private static List<String> strings(JsonNode array) {
        List<String> strings = new ArrayList<>();
        array.forEach(element -> strings.add(element.asText()));
        return strings;
    }
}
