package io.github.internvl4j.cli;

import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Reply;
import io.github.internvl4j.TokenLogprob;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Replies as the commands write them. */
final class Json {
    private Json() {}

    /** A reply as {@code chat --json} and {@code batch} print it; the caller may add fields. */
    static Map<String, Object> of(Reply reply, GenerationConfig config) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("prompt_tokens", reply.promptTokens());
        fields.put("tokens", reply.tokens());
        fields.put("text", reply.text());
        if (reply.thinking() != null) {
            fields.put("thinking", reply.thinking());
            fields.put("response", reply.response());
        }
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
        seconds.put("queue", timings.queue());
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
