package io.github.internvl4j.cli;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.InvalidNullException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Reply;
import io.github.internvl4j.TokenLogprob;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** JSON as the commands read and write it. What is read must be what is expected: nothing is converted or ignored. */
final class Json {
    static final ObjectMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(
                    DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES,
                    DeserializationFeature.FAIL_ON_TRAILING_TOKENS,
                    DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .withCoercionConfig(LogicalType.Textual, text -> text.setCoercion(
                            CoercionInputShape.Integer, CoercionAction.Fail)
                    .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                    .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
            .defaultSetterInfo(JsonSetter.Value.forContentNulls(Nulls.FAIL))
            .build();

    private Json() {}

    static String text(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What is wrong and where, without Java's names. */
    static String describe(JsonProcessingException failure) {
        if (failure instanceof UnrecognizedPropertyException unknown) {
            return "unknown field " + unknown.getPropertyName() + ", expected one of "
                    + unknown.getKnownPropertyIds();
        }
        String message = failure instanceof InvalidNullException
                ? "null is no value here"
                : Failures.oneLine(failure.getOriginalMessage());
        if (failure instanceof JsonMappingException mapping && !mapping.getPath().isEmpty()) {
            return "field " + path(mapping) + ": " + message;
        }
        JsonLocation at = failure.getLocation();
        return at == null ? message : message + " (line " + at.getLineNr() + ", column " + at.getColumnNr() + ")";
    }

    private static String path(JsonMappingException failure) {
        StringBuilder path = new StringBuilder();
        for (JsonMappingException.Reference step : failure.getPath()) {
            if (step.getFieldName() == null) {
                path.append('[').append(step.getIndex()).append(']');
            } else {
                path.append(path.isEmpty() ? "" : ".").append(step.getFieldName());
            }
        }
        return path.toString();
    }

    /** A reply as {@code chat --json} and {@code batch} print it; the caller may add fields. */
    static Map<String, Object> of(Reply reply, GenerationConfig config) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("prompt_tokens", reply.promptTokens());
        fields.put("tokens", reply.tokens());
        fields.put("text", reply.text());
        fields.put("finish", reply.finish().name().toLowerCase(Locale.ROOT));
        fields.put("seconds", seconds(reply.timings()));
        if (config.temperature() > 0) {
            fields.put("seed", config.seed());
        }
        if (config.topLogprobs() > 0) {
            fields.put(
                    "logprobs",
                    reply.logprobs().stream().map(TokenLogprob::logprob).toList());
            fields.put(
                    "top_logprobs",
                    reply.alternatives().stream().map(Json::pairs).toList());
        }
        return fields;
    }

    static Map<String, Object> seconds(Reply.Timings timings) {
        Map<String, Object> seconds = new LinkedHashMap<>();
        seconds.put("vision", timings.vision());
        seconds.put("prefill", timings.prefill());
        seconds.put("decode", timings.decode());
        return seconds;
    }

    private static List<List<Number>> pairs(List<TokenLogprob> candidates) {
        return candidates.stream()
                .map(candidate -> List.<Number>of(candidate.token(), candidate.logprob()))
                .toList();
    }
}
