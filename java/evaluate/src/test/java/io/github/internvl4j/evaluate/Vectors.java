package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What the original scripts make of many odd answers. The system property {@code evaluation.vectors} names another folder. */
final class Vectors {
    static final ObjectMapper JSON = new ObjectMapper();

    private Vectors() {}

    static Path folder() {
        String other = System.getProperty("evaluation.vectors");
        return other != null
                ? Path.of(other)
                : Path.of(Objects.requireNonNull(System.getProperty("internvl4j.testData")), "evaluation");
    }

    static JsonNode read(String name) throws IOException {
        return JSON.readTree(folder().resolve(name).toFile());
    }

    static Map<String, String> options(JsonNode options) {
        Map<String, String> texts = new LinkedHashMap<>();
        options.properties()
                .forEach(option -> texts.put(option.getKey(), option.getValue().asText()));
        return texts;
    }

    static List<String> strings(JsonNode array) {
        List<String> strings = new ArrayList<>();
        array.forEach(one -> strings.add(one.asText()));
        return strings;
    }
}
