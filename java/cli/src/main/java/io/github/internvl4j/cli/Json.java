package io.github.internvl4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.internvl4j.Reply;
import io.github.internvl4j.TokenLogprob;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** JSON as the commands read and write it. */
final class Json {
    static final ObjectMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private Json() {}

    static String text(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A reply as {@code batch} prints it; the caller may add fields. */
    static Map<String, Object> of(Reply reply) {
        return of(reply, Double.NaN);
    }

    /** A reply as {@code chat --json} prints it, with the seconds that loading took (NaN to leave them out). */
    static Map<String, Object> of(Reply reply, double loadSeconds) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("prompt_tokens", reply.promptTokens());
        fields.put("tokens", reply.tokens());
        fields.put("text", reply.text());
        fields.put("finish", reply.finish().name().toLowerCase(Locale.ROOT));
        Map<String, Object> seconds = new LinkedHashMap<>();
        if (!Double.isNaN(loadSeconds)) {
            seconds.put("load", loadSeconds);
        }
        seconds.put("vision", reply.timings().vision());
        seconds.put("prefill", reply.timings().prefill());
        seconds.put("decode", reply.timings().decode());
        fields.put("seconds", seconds);
        if (!reply.alternatives().isEmpty()) {
            fields.put(
                    "logprobs",
                    reply.logprobs().stream().map(TokenLogprob::logprob).toList());
            fields.put(
                    "top_logprobs",
                    reply.alternatives().stream().map(Json::pairs).toList());
        }
        return fields;
    }

    private static List<List<Number>> pairs(List<TokenLogprob> candidates) {
        return candidates.stream()
                .map(candidate -> List.<Number>of(candidate.token(), candidate.logprob()))
                .toList();
    }
}
