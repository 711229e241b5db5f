package io.github.internvl4j.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.Tools;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What form a chat completion wants its answer in: any text, JSON, or a call of a tool. A call is what {@link Tools} says, or the arguments
 * alone where the request names the tool.
 *
 * @param schema that the answer satisfies; null: any text
 * @param parts the schemas of the request that it is made of, by the fields that have them
 * @param tools that the answer calls one of; null: it is no call, or one of the named tool
 * @param named the tool that is called; null: it is no call, or the answer says it
 */
public record Structure(
        @Nullable String schema,
        Map<String, String> parts,
        @Nullable Tools tools,
        @Nullable String named) {
    /** The fields that are read here. */
    public static final List<String> NAMES = List.of("response_format", "tools", "tool_choice");

    /** Any text. */
    public static final Structure TEXT = new Structure(null, Map.of(), null, null);

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

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
        return choice.isObject() ? callable.get(0).called() : ofCalls(callable);
    }

    private static Structure format(Fields body) {
        Fields format = body.object("response_format");
        if (format == null) {
            return TEXT;
        }
        return switch (format.requiredText("type")) {
            case "text" -> TEXT;
            case "json_object" -> json(object(), body.path("response_format"));
            case "json_schema" -> {
                Fields named = Fields.of(format.required("json_schema"), format.path("json_schema"));
                JsonNode schema = named.get("schema");
                yield json(schema == null ? object() : schema, named.path("schema"));
            }
            default ->
                throw format.wrong("type", "\"text\", \"json_object\" or \"json_schema\"", format.required("type"));
        };
    }

    private static Structure json(JsonNode schema, String path) {
        String text = JsonText.text(schema);
        return new Structure(text, Map.of(path, text), null, null);
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

    private static Structure ofCalls(List<Tool> callable) {
        Tools tools = Tools.none();
        Map<String, String> parts = new LinkedHashMap<>();
        for (Tool tool : callable) {
            tools = tools.and(tool.name, tool.parameters);
            parts.put(tool.path, tool.parameters);
        }
        return new Structure(tools.schema(), parts, tools, null);
    }

    /** Whether the answer is a call. */
    public boolean calls() {
        return tools != null || named != null;
    }

    /** What an answer calls; null if it is a text, or was cut before that is known. */
    public Tools.@Nullable Call call(String answer) {
        if (named != null) {
            return new Tools.Call(named, answer);
        }
        return tools == null ? null : tools.call(answer).orElse(null);
    }

    /** @param path of its parameters */
    private record Tool(String name, String parameters, String path) {
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
                    parameters == null ? Tools.NO_ARGUMENTS : JsonText.text(parameters),
                    function.path("parameters"));
        }

        /** A call of this one. */
        Structure called() {
            return new Structure(parameters, Map.of(path, parameters), null, name);
        }
    }
}
