package io.github.internvl4j;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.SchemaException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Tools that an answer calls one of. A call is the JSON {@code {"name": ..., "arguments": ...}}, to which {@link #schema} holds the answer.
 * The templates have no place for tools: which there are is for a message to say. Immutable.
 *
 * <pre>{@code
 * Tools tools = Tools.none().and("paint", "{\"type\": \"object\", \"properties\": {\"colour\": {\"type\": \"string\"}}}");
 * Reply reply = model.generate(asked, GenerationConfig.greedy(200).jsonSchema(tools.schema()));
 * tools.call(reply.text()).ifPresent(call -> System.out.println(call.name() + call.arguments()));
 * }</pre>
 */
public final class Tools {
    /** The parameters of a tool that takes none. */
    public static final String NO_ARGUMENTS = "{\"type\": \"object\", \"additionalProperties\": false}";

    /** Numbers stay what the model wrote. */
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    private static final Tools NONE = new Tools(Map.of());

    /** Each tool's parameters by its name, in the tools' order. */
    private final Map<String, JsonNode> parameters;

    private Tools(Map<String, JsonNode> parameters) {
        this.parameters = parameters;
    }

    /**
     * What an answer calls. A record: it can be nothing else.
     *
     * @param name of the tool
     * @param arguments JSON that satisfies its parameters
     */
    public record Call(String name, String arguments) {
        /** Checks for nulls. */
        public Call {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(arguments, "arguments");
        }

        /** The call as the model writes it, for the history of a conversation. */
        public String text() {
            return "{\"name\": " + written(name) + ", \"arguments\": " + arguments + "}";
        }
    }

    /** No tools, to which {@link #and} adds. */
    public static Tools none() {
        return NONE;
    }

    /**
     * With one more.
     *
     * @param parameters a JSON schema that all arguments together satisfy; {@link #NO_ARGUMENTS} where there are none
     * @throws SchemaException if that is not JSON; what cannot be done of it is refused where it is used
     * @throws InvalidOptionException if there is a tool of that name
     */
    public Tools and(String name, String parameters) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(parameters, "parameters");
        Map<String, JsonNode> more = new LinkedHashMap<>(this.parameters);
        if (more.put(name, read(name, parameters)) != null) {
            throw new InvalidOptionException(
                    "there are two tools of the name " + name + ", expected names that differ");
        }
        return new Tools(more);
    }

    private static JsonNode read(String name, String parameters) {
        try {
            return JSON.readTree(parameters);
        } catch (JsonProcessingException e) {
            throw new SchemaException("the parameters of the tool " + name + " are not JSON: " + e.getMessage(), "");
        }
    }

    /** Whether there is none. */
    public boolean isEmpty() {
        return parameters.isEmpty();
    }

    /**
     * What {@link GenerationConfig#jsonSchema(String)} takes, so that an answer is a call of one of them.
     *
     * @throws InvalidOptionException if there is none
     */
    public String schema() {
        Options.require(!isEmpty(), "tools", "none", "at least one that can be called");
        // Every tool's parameters are a definition, so that what they refer to inside themselves has a place of its
        // own.
        ObjectNode definitions = JSON.createObjectNode();
        ObjectNode schema = JSON.createObjectNode();
        parameters.forEach((name, own) -> {
            String place = String.valueOf(definitions.size());
            String reference = "#/$defs/" + place;
            definitions.set(place, moved(own, reference));
            ObjectNode call = schema.withArray("anyOf").addObject().put("type", "object");
            ObjectNode properties = call.putObject("properties");
            properties.putObject("name").put("const", name);
            properties.putObject("arguments").put("$ref", reference);
            call.putArray("required").add("name").add("arguments");
            call.put("additionalProperties", false);
        });
        schema.set("$defs", definitions);
        return written(schema);
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

    /** What an answer calls; nothing if it was cut before its end. */
    public Optional<Call> call(String answer) {
        Objects.requireNonNull(answer, "answer");
        try {
            JsonNode call = JSON.readTree(answer);
            String name = call.path("name").asText();
            return call.has("arguments") && parameters.containsKey(name)
                    ? Optional.of(new Call(name, written(call.get("arguments"))))
                    : Optional.empty();
        } catch (JsonProcessingException cut) {
            return Optional.empty();
        }
    }

    private static String written(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Tools tools && parameters.equals(tools.parameters);
    }

    @Override
    public int hashCode() {
        return parameters.hashCode();
    }

    @Override
    public String toString() {
        return "Tools" + parameters.keySet();
    }
}
