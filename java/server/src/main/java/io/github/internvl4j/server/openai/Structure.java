package io.github.internvl4j.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.error.PromptException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What form a chat completion wants its answer in: any text, JSON, or a call of a tool. A call is the JSON
 * {@code {"name": ..., "arguments": ...}}, or the arguments alone where the request names the tool.
 *
 * @param schema that the answer satisfies; null: any text
 * @param places the fields of the request that parts of the schema come from, by where these stand in it
 * @param calls whether the answer is a call
 * @param named the tool that is called; null: the answer says it
 */
public record Structure(
        @Nullable JsonNode schema,
        Map<String, String> places,
        boolean calls,
        @Nullable String named) {
    /** The fields that are read here. */
    public static final List<String> NAMES = List.of("response_format", "tools", "tool_choice");

    /** Any text. */
    public static final Structure TEXT = new Structure(null, Map.of(), false, null);

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final Pattern DEFINITION = Pattern.compile("/\\$defs/(\\d+)(.*)", Pattern.DOTALL);

    /** @param arguments JSON, as the model wrote it */
    public record Call(String name, String arguments) {}

    /**
     * Reads it.
     *
     * @throws FieldException naming the field that is not what it must be
     */
    public static Structure of(Fields body) {
        List<Tool> tools = Objects.requireNonNullElse(body.list("tools", "an array of tools", Tool::of), List.of());
        JsonNode choice = body.get("tool_choice");
        Structure format = format(body);
        if (choice == null || choice.asText().equals("none") || choice.asText().equals("auto")) {
            return format;
        }
        List<Tool> callable = choice.asText().equals("required") ? tools : List.of(named(body, choice, tools));
        if (callable.isEmpty()) {
            throw body.wrong("tool_choice", "\"none\" or \"auto\" where there are no tools", choice);
        }
        if (format.schema != null) {
            throw body.wrong(
                    "response_format",
                    "{\"type\": \"text\"} beside a tool_choice that calls one",
                    body.required("response_format"));
        }
        return ofCalls(callable, choice.isObject());
    }

    private static Structure format(Fields body) {
        Fields format = body.object("response_format");
        if (format == null) {
            return TEXT;
        }
        return switch (format.requiredText("type")) {
            case "text" -> TEXT;
            case "json_object" -> new Structure(object(), Map.of("", body.path("response_format")), false, null);
            case "json_schema" -> {
                Fields named = Fields.of(format.required("json_schema"), format.path("json_schema"));
                JsonNode schema = named.get("schema");
                yield new Structure(schema == null ? object() : schema, Map.of("", named.path("schema")), false, null);
            }
            default ->
                throw format.wrong("type", "\"text\", \"json_object\" or \"json_schema\"", format.required("type"));
        };
    }

    private static ObjectNode object() {
        return JSON.objectNode().put("type", "object");
    }

    private static Tool named(Fields body, JsonNode choice, List<Tool> tools) {
        if (!choice.isObject()) {
            throw body.wrong("tool_choice", "\"none\", \"auto\", \"required\" or an object that names a tool", choice);
        }
        Fields function = Fields.of(choice, body.path("tool_choice")).object("function");
        String name = function == null ? null : function.text("name");
        return tools.stream()
                .filter(tool -> tool.name.equals(name))
                .findFirst()
                .orElseThrow(() -> body.wrong("tool_choice", "the name of one of the tools", choice));
    }

    /** Every tool's parameters are a definition, so that what they refer to inside themselves has a place of its own. */
    private static Structure ofCalls(List<Tool> tools, boolean named) {
        ObjectNode definitions = JSON.objectNode();
        ObjectNode schema = JSON.objectNode();
        for (int i = 0; i < tools.size(); i++) {
            String place = "#/$defs/" + i;
            definitions.set(String.valueOf(i), moved(tools.get(i).parameters, place));
            ObjectNode call = schema.withArray("anyOf").addObject();
            if (named) {
                call.put("$ref", place);
            } else {
                ObjectNode properties = call.put("type", "object").putObject("properties");
                properties.putObject("name").put("const", tools.get(i).name);
                properties.putObject("arguments").put("$ref", place);
                call.putArray("required").add("name").add("arguments");
                call.put("additionalProperties", false);
            }
        }
        schema.set("$defs", definitions);
        Map<String, String> places = IntStream.range(0, tools.size())
                .boxed()
                .collect(Collectors.toMap(String::valueOf, i -> tools.get(i).path));
        return new Structure(schema, places, true, named ? tools.get(0).name : null);
    }

    /** The same schema at another place of a document. */
    private static JsonNode moved(JsonNode schema, String place) {
        JsonNode copy = schema.deepCopy();
        if (copy instanceof ObjectNode root) {
            root.remove("$id");
        }
        for (JsonNode parent : copy.findParents("$ref")) {
            String target = parent.get("$ref").asText();
            if (parent.get("$ref").isTextual() && target.startsWith("#")) {
                ((ObjectNode) parent).put("$ref", place + target.substring(1));
            }
        }
        return copy;
    }

    /** The field that a part of the schema comes from, with the rest of the JSON pointer. */
    public String field(String pointer) {
        Matcher definition = DEFINITION.matcher(pointer);
        if (calls && definition.matches()) {
            return places.getOrDefault(definition.group(1), "tools") + definition.group(2);
        }
        return places.getOrDefault("", "tools") + pointer;
    }

    /** What an answer calls; null if it was cut before that is known. */
    public @Nullable Call call(String answer) {
        if (named != null) {
            return new Call(named, answer);
        }
        try {
            JsonNode call = JsonText.parse(answer);
            return new Call(call.get("name").asText(), JsonText.text(call.get("arguments")));
        } catch (PromptException cut) {
            return null;
        }
    }

    /** @param path of its parameters */
    private record Tool(String name, JsonNode parameters, String path) {
        static Tool of(Fields.Entry entry) {
            Fields tool = Fields.of(entry.value(), entry.path());
            String type = tool.requiredText("type");
            if (!type.equals("function")) {
                throw tool.wrong("type", "\"function\"", tool.required("type"));
            }
            Fields function = Fields.of(tool.required("function"), tool.path("function"));
            JsonNode parameters = function.get("parameters");
            return new Tool(
                    function.requiredText("name"),
                    parameters == null ? object() : parameters,
                    function.path("parameters"));
        }
    }
}
