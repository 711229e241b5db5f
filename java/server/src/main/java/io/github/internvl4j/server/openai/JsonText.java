package io.github.internvl4j.server.openai;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import io.github.internvl4j.CheckReport;
import io.github.internvl4j.MemoryPlan;
import io.github.internvl4j.ModelInfo;
import io.github.internvl4j.SystemInfo;
import io.github.internvl4j.error.PromptException;
import java.io.IOException;
import java.util.Locale;
import java.util.OptionalInt;

/** JSON as the server and the command line read and write it. */
public final class JsonText {
    private static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    // An image may stand in a string.
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxStringLength(Integer.MAX_VALUE)
                            .maxNameLength(Integer.MAX_VALUE)
                            .build())
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .addModule(new SimpleModule()
                    .addSerializer(OptionalInt.class, new NumberOrNull())
                    .addSerializer(ModelInfo.class, new Accessors<>(ModelInfo.class))
                    .addSerializer(MemoryPlan.class, new Accessors<>(MemoryPlan.class))
                    .addSerializer(CheckReport.class, new Accessors<>(CheckReport.class))
                    .addSerializer(SystemInfo.class, new Accessors<>(SystemInfo.class))
                    .addSerializer(SystemInfo.Cpu.class, new Accessors<>(SystemInfo.Cpu.class))
                    .addSerializer(SystemInfo.DeviceInfo.class, new Accessors<>(SystemInfo.DeviceInfo.class)))
            .build();

    /** What a model may have. */
    private static final class NumberOrNull extends JsonSerializer<OptionalInt> {
        @Override
        public void serialize(OptionalInt value, JsonGenerator out, SerializerProvider serializers) throws IOException {
            if (value.isPresent()) {
                out.writeNumber(value.getAsInt());
            } else {
                out.writeNull();
            }
        }
    }

    /** The longest text that a message repeats. */
    private static final int SHOWN = 60;

    private JsonText() {}

    /** A value as JSON, its members in snake case. */
    public static String text(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Reads a text that holds one value.
     *
     * @throws PromptException saying what is wrong and where
     */
    public static JsonNode parse(String text) {
        try {
            JsonNode value = MAPPER.readTree(text);
            if (!value.isMissingNode()) {
                return value;
            }
        } catch (JsonProcessingException e) {
            throw new PromptException(JsonSyntax.fault(text), e);
        }
        throw new PromptException(JsonSyntax.fault(text));
    }

    /** A value's type and, of a short one, the value, as a message names what was found. */
    public static String shown(JsonNode value) {
        return switch (value.getNodeType()) {
            case OBJECT -> "an object";
            case ARRAY -> "an array";
            case STRING -> "the string " + text(shortened(value.textValue()));
            case NUMBER -> "the number " + shortened(value.asText());
            default -> value.asText();
        };
    }

    /** The beginning of what is too long for a message. */
    public static String shortened(String text) {
        if (text.length() <= SHOWN) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(SHOWN - 1)) ? SHOWN - 1 : SHOWN;
        return text.substring(0, end) + String.format(Locale.ROOT, "... (%,d characters)", text.length());
    }
}
