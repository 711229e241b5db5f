package io.github.internvl4j.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Random;

/** Schemas of all that can be done, drawn by a seed; some of them no value satisfies. */
final class RandomSchemas {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final int DEEPEST = 3;
    private static final List<String> NAMES = List.of("a", "ab", "abc", "b", "", "q\"uote", "é", "line\n", "日本");
    private static final List<String> PATTERNS =
            List.of("^[a-c]{1,3}$", "^(?:ab|c)+$", "b", "^x", "^\\d{2}-\\d{2}$", "^[^a-z\"]{2}", "é?$");
    /** No e-mail addresses: of their domains the validator wants to know the last part. */
    private static final List<String> FORMATS = List.of("date", "time", "date-time", "uuid", "ipv4");

    private final Random random;

    RandomSchemas(long seed) {
        random = new Random(seed);
    }

    /** A whole one, with definitions that parts of it refer to. */
    ObjectNode schema() {
        ObjectNode root = schema(0);
        ObjectNode definitions = root.putObject("$defs");
        definitions.putObject("small").put("type", "integer").put("minimum", -3).put("maximum", 12);
        ObjectNode list = definitions.putObject("list").put("type", "object").put("additionalProperties", false);
        ArrayNode next = list.putObject("properties").putObject("next").putArray("anyOf");
        next.addObject().put("$ref", "#/$defs/list");
        next.addObject().put("type", "null");
        list.putArray("required").add("next");
        return root;
    }

    private boolean oneIn(int many) {
        return random.nextInt(many) == 0;
    }

    private <T> T of(List<T> all) {
        return all.get(random.nextInt(all.size()));
    }

    private ObjectNode schema(int depth) {
        return switch (random.nextInt(depth >= DEEPEST ? 8 : 16)) {
            case 0, 1 -> number();
            case 2, 3 -> string();
            case 4 -> constants();
            case 5 -> JSON.objectNode().put("type", oneIn(2) ? "null" : "boolean");
            case 6 -> JSON.objectNode().put("$ref", oneIn(2) ? "#/$defs/list" : "#/$defs/small");
            case 7 -> types();
            case 8 -> several("anyOf", depth);
            case 9 -> both();
            case 10 -> several("oneOf", depth);
            case 11, 12 -> array(depth);
            default -> object(depth);
        };
    }

    private ObjectNode several(String keyword, int depth) {
        ObjectNode schema = JSON.objectNode();
        schema.putArray(keyword).add(schema(depth + 1)).add(schema(depth + 1));
        return schema;
    }

    /** Of one kind, so that most of them leave something. */
    private ObjectNode both() {
        ObjectNode schema = JSON.objectNode();
        boolean numbers = oneIn(2);
        schema.putArray("allOf").add(numbers ? number() : lengths()).add(numbers ? number() : string());
        return schema;
    }

    private ObjectNode types() {
        ObjectNode schema = JSON.objectNode();
        schema.putArray("type").add(oneIn(2) ? "string" : "integer").add("null");
        if (oneIn(2)) {
            schema.put("maxLength", random.nextInt(6)); // which says nothing of a number
        }
        return schema;
    }

    private ObjectNode number() {
        ObjectNode schema = JSON.objectNode().put("type", oneIn(3) ? "number" : "integer");
        if (oneIn(2)) {
            bound(schema, oneIn(2) ? "minimum" : "exclusiveMinimum");
        }
        if (oneIn(2)) {
            bound(schema, oneIn(2) ? "maximum" : "exclusiveMaximum");
        }
        return schema;
    }

    private void bound(ObjectNode schema, String keyword) {
        int value = random.nextInt(2000) - 1000;
        if (oneIn(3)) {
            schema.put(keyword, value / 8.0);
        } else {
            schema.put(keyword, value);
        }
    }

    private ObjectNode string() {
        ObjectNode schema = JSON.objectNode().put("type", "string");
        switch (random.nextInt(3)) {
            case 0 -> schema.put("pattern", of(PATTERNS));
            case 1 -> schema.put("format", of(FORMATS));
            default -> {
                return lengths();
            }
        }
        return schema;
    }

    private ObjectNode lengths() {
        return JSON.objectNode()
                .put("type", "string")
                .put("minLength", random.nextInt(4))
                .put("maxLength", 3 + random.nextInt(8));
    }

    private ObjectNode constants() {
        ObjectNode schema = JSON.objectNode();
        if (oneIn(2)) {
            return schema.put("const", of(NAMES));
        }
        ArrayNode all = schema.putArray("enum");
        all.add(of(NAMES)).add(random.nextInt(100)).addNull();
        all.addObject().put(of(NAMES), 2.5).putArray("z").add(true);
        return schema;
    }

    private ObjectNode array(int depth) {
        ObjectNode schema = JSON.objectNode().put("type", "array").put("maxItems", 1 + random.nextInt(4));
        if (oneIn(2)) {
            schema.put("minItems", random.nextInt(2));
        }
        if (oneIn(3)) {
            schema.putArray("prefixItems").add(schema(depth + 1));
        }
        if (oneIn(4)) {
            schema.put("items", false);
        } else {
            schema.set("items", schema(depth + 1));
        }
        return schema;
    }

    private ObjectNode object(int depth) {
        ObjectNode schema = JSON.objectNode().put("type", "object");
        ObjectNode properties = schema.putObject("properties");
        for (int count = random.nextInt(4); count > 0; count--) {
            properties.set(of(NAMES), schema(depth + 1));
        }
        ArrayNode required = schema.putArray("required");
        properties.fieldNames().forEachRemaining(name -> {
            if (oneIn(2)) {
                required.add(name);
            }
        });
        if (oneIn(6)) {
            schema.set("additionalProperties", schema(depth + 1));
        } else {
            schema.put("additionalProperties", false);
        }
        return schema;
    }
}
