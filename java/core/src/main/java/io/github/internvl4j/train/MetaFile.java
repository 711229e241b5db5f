package io.github.internvl4j.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.error.TrainingDataException;
import io.github.internvl4j.host.FileProblems;
import io.github.internvl4j.image.Tiling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * The meta file that lists sets: {@code {"name": {"root": "images/", "annotation": "data.jsonl", "data_augment": false, "repeat_time": 1}}},
 * with {@code max_dynamic_patch} where a set has its own. {@code length} is not looked at. Paths are taken from the meta file's folder, or,
 * where there is nothing, from the working directory, as the original takes them.
 */
final class MetaFile {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path path;

    private MetaFile(Path path) {
        this.path = path;
    }

    /** @throws TrainingDataException if it cannot be read, or a field is not what is expected */
    static List<DataSet> read(Path path) {
        return new MetaFile(path).sets();
    }

    private List<DataSet> sets() {
        JsonNode root;
        try {
            root = JSON.readTree(Files.readAllBytes(path));
        } catch (JsonProcessingException e) {
            throw new TrainingDataException(path + ": not valid JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new TrainingDataException(FileProblems.describe(path, "read", e), e);
        }
        if (!root.isObject() || root.isEmpty()) {
            throw new TrainingDataException(path + ": expected an object with a set or more, {\"name\": {\"root\": ...,"
                    + " \"annotation\": ...}}");
        }
        List<DataSet> sets = new ArrayList<>();
        root.properties().forEach(entry -> sets.add(set(entry.getKey(), entry.getValue())));
        return sets;
    }

    private DataSet set(String name, JsonNode fields) {
        JsonNode augment = fields.path("data_augment");
        if (augment.asBoolean(false)) {
            throw wrong(name, "data_augment", augment, "false: images are learnt as they are, without JPEG noise");
        }
        return new DataSet(
                name,
                place(text(name, fields, "root")),
                LineFile.open(place(text(name, fields, "annotation"))),
                repeat(name, fields.path("repeat_time")),
                maxTiles(name, fields.path("max_dynamic_patch")));
    }

    private String text(String name, JsonNode fields, String field) {
        JsonNode value = fields.path(field);
        if (!value.isTextual()) {
            throw wrong(name, field, value, "a path");
        }
        return value.textValue();
    }

    private Path place(String typed) {
        Path beside = path.toAbsolutePath().resolveSibling(typed);
        return Files.exists(beside) || !Files.exists(Path.of(typed)) ? beside : Path.of(typed);
    }

    private double repeat(String name, JsonNode value) {
        if (value.isMissingNode()) {
            return 1;
        }
        double repeat = value.doubleValue();
        if (!value.isNumber()
                || repeat < 0
                || repeat > 1 && repeat != Math.rint(repeat)
                || repeat > Integer.MAX_VALUE) {
            throw wrong(name, "repeat_time", value, "a share of the lines below 1, or how often they are taken");
        }
        return repeat;
    }

    private OptionalInt maxTiles(String name, JsonNode value) {
        if (value.isMissingNode()) {
            return OptionalInt.empty();
        }
        if (!value.canConvertToInt()
                || !value.isIntegralNumber()
                || value.intValue() < 1
                || value.intValue() > Tiling.LARGEST_MOST) {
            throw wrong(name, "max_dynamic_patch", value, "1 to " + Tiling.LARGEST_MOST + " tiles");
        }
        return OptionalInt.of(value.intValue());
    }

    private TrainingDataException wrong(String name, String field, JsonNode found, String expected) {
        return new TrainingDataException(path + ": " + field + " of the set \"" + name + "\" is "
                + (found.isMissingNode() ? "missing" : found) + ", expected " + expected);
    }
}
