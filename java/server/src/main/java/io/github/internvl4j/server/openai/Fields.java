package io.github.internvl4j.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An object's fields, read as what they must be: nothing is converted or ignored. A field that is null is as if it were not
 * there. Messages name a field by its path, as the file has it.
 */
public final class Fields {
    private final JsonNode object;
    private final String path;

    private Fields(JsonNode object, String path) {
        this.object = object;
        this.path = path;
    }

    /**
     * @param path of the object, empty for the outermost
     * @throws FieldException if the value is none
     */
    public static Fields of(JsonNode value, String path) {
        if (!value.isObject()) {
            throw new Entry(path, value).wrong("an object");
        }
        return new Fields(value, path);
    }

    /** @throws FieldException if there is a field besides these */
    public void only(List<String> known) {
        only(known, List.of());
    }

    /**
     * The same beside others, which are no help to name.
     *
     * @throws FieldException if there is a field besides these
     */
    public void only(List<String> known, List<String> others) {
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            boolean expected = known.contains(field.getKey()) || others.contains(field.getKey());
            if (!expected && !field.getValue().isNull()) {
                String found = path(JsonText.shortened(field.getKey()));
                throw new FieldException(
                        found, "unknown field " + found + ", expected one of " + String.join(", ", known));
            }
        }
    }

    /** The value, null if it is not there or null. */
    public @Nullable JsonNode get(String name) {
        JsonNode value = object.get(name);
        return value == null || value.isNull() ? null : value;
    }

    /** An object's fields; null if it is not there or null. */
    public @Nullable Fields object(String name) {
        JsonNode value = get(name);
        return value == null ? null : of(value, path(name));
    }

    /** The names of all fields. */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    /** Where a field is. */
    public String path(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    /** That a field is not what it must be. */
    public FieldException wrong(String name, String expected, JsonNode found) {
        return new Entry(path(name), found).wrong(expected);
    }

    /** @throws FieldException if the field is not there */
    public JsonNode required(String name) {
        JsonNode value = get(name);
        if (value == null) {
            throw new FieldException(path(name), "the field " + path(name) + " is missing");
        }
        return value;
    }

    /** A string; null if it is not there or null. */
    public @Nullable String text(String name) {
        JsonNode value = get(name);
        return value == null ? null : text(name, value);
    }

    /** A string that must be there. */
    public String requiredText(String name) {
        return text(name, required(name));
    }

    private String text(String name, JsonNode value) {
        return require(name, value, value.isTextual(), "a string").textValue();
    }

    /** True or false; null if it is not there or null. */
    public @Nullable Boolean flag(String name) {
        JsonNode value = get(name);
        return value == null
                ? null
                : require(name, value, value.isBoolean(), "true or false").booleanValue();
    }

    /** An integer of 32 bits; null if it is not there or null. */
    public @Nullable Integer count(String name) {
        JsonNode value = get(name);
        return value == null
                ? null
                : integer(name, value, value.canConvertToInt(), 32).intValue();
    }

    /** An integer of 64 bits; null if it is not there or null. */
    public @Nullable Long whole(String name) {
        JsonNode value = get(name);
        return value == null
                ? null
                : integer(name, value, value.canConvertToLong(), 64).longValue();
    }

    private JsonNode integer(String name, JsonNode value, boolean fits, int bits) {
        require(name, value, value.isIntegralNumber(), "an integer");
        return require(name, value, fits, "an integer of " + bits + " bits");
    }

    /** A finite number; null if it is not there or null. */
    public @Nullable Double number(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return null;
        }
        require(name, value, value.isNumber(), "a number");
        return require(name, value, Double.isFinite(value.doubleValue()), "a number of 64 bits")
                .doubleValue();
    }

    /** A number of 32 bits; null if it is not there or null. */
    public @Nullable Float small(String name) {
        Double value = number(name);
        if (value == null) {
            return null;
        }
        require(name, required(name), Float.isFinite(value.floatValue()), "a number of 32 bits");
        return value.floatValue();
    }

    /** An array of strings; null if it is not there or null. */
    public @Nullable List<String> texts(String name) {
        return list(name, "an array of strings", Entry::text);
    }

    /**
     * An array's values.
     *
     * @param expected what messages call such an array
     * @param read is given each value
     */
    public <T> @Nullable List<T> list(String name, String expected, Function<Entry, T> read) {
        JsonNode value = get(name);
        return value == null ? null : new Entry(path(name), value).list(expected, read);
    }

    /**
     * A value that need not be a field's.
     *
     * @param path where it is; empty for the outermost
     */
    public record Entry(String path, JsonNode value) {
        /** That it is not what it must be. */
        public FieldException wrong(String expected) {
            return new FieldException(
                    path,
                    (path.isEmpty() ? "" : "field " + path + ": ") + "expected " + expected + ", found "
                            + JsonText.shown(value));
        }

        /** A string. */
        public String text() {
            if (!value.isTextual()) {
                throw wrong("a string");
            }
            return value.textValue();
        }

        /** An integer of 32 bits. */
        public int count() {
            if (!value.canConvertToInt() || !value.isIntegralNumber()) {
                throw wrong("an integer of 32 bits");
            }
            return value.intValue();
        }

        /** The values of an array. */
        public <T> List<T> list(String expected, Function<Entry, T> read) {
            if (!value.isArray()) {
                throw wrong(expected);
            }
            List<T> all = new ArrayList<>();
            for (JsonNode entry : value) {
                all.add(read.apply(new Entry(path + "[" + all.size() + "]", entry)));
            }
            return all;
        }
    }

    private JsonNode require(String name, JsonNode value, boolean holds, String expected) {
        if (!holds) {
            throw wrong(name, expected, value);
        }
        return value;
    }
}
