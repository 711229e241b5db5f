package io.github.internvl4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.FinishReason;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Reply;
import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.error.VideoException;
import io.github.internvl4j.server.openai.Logprobs;
import io.github.internvl4j.text.Tokenizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The form of OpenAI's batches: a chat completion inside of a response. */
final class OpenAiForm implements AnswerForm {
    private static final String REQUEST = "req-";
    private static final int OK = 200;
    private static final int BAD_REQUEST = 400;
    private static final int SERVER_ERROR = 500;

    private final @Nullable JsonNode customId;
    private final String model;
    private final Logprobs logprobs;

    OpenAiForm(JsonNode request, Tokenizer tokenizer) {
        customId = request.get("custom_id");
        model = request.path("body").path("model").asText("");
        logprobs = new Logprobs(
                tokenizer, request.path("body").path("top_logprobs").asInt(0));
    }

    /** Whether a line is meant to be in this form. */
    static boolean is(JsonNode request) {
        return request.has("custom_id") || request.has("body");
    }

    @Override
    public Map<String, Object> reply(int index, String key, Reply reply, GenerationConfig config) {
        if (reply.finish() == FinishReason.CANCELLED) {
            Map<String, Object> line = begin(index);
            line.put("response", null);
            line.put("error", error("cancelled", "the batch was stopped before the answer's end"));
            return line;
        }
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("role", "assistant");
        message.put("content", reply.text());
        if (reply.thinking() != null) {
            message.put("reasoning_content", reply.thinking()); // as vLLM calls it
        }
        Map<String, Object> choice = new LinkedHashMap<>();
        choice.put("index", 0);
        choice.put("message", message);
        choice.put("logprobs", config.topLogprobs() > 0 ? Map.of("content", logprobs(reply)) : null);
        choice.put("finish_reason", reply.finish().name().toLowerCase(Locale.ROOT));
        Map<String, Object> usage = new LinkedHashMap<>();
        usage.put("prompt_tokens", reply.promptTokens().size());
        usage.put("completion_tokens", reply.tokens().size());
        usage.put("total_tokens", reply.promptTokens().size() + reply.tokens().size());
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("id", "chatcmpl-" + index);
        body.put("object", "chat.completion");
        body.put("created", System.currentTimeMillis() / 1000);
        body.put("model", model);
        body.put("choices", List.of(choice));
        body.put("usage", usage);
        return response(index, key, OK, body, null);
    }

    @Override
    public Map<String, Object> failure(int index, String key, InternVLException failure, String message) {
        boolean asked = failure instanceof PromptException
                || failure instanceof ImageException
                || failure instanceof VideoException
                || failure instanceof InvalidOptionException
                || failure instanceof ContextLengthException;
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("message", message);
        told.put("type", asked ? "invalid_request_error" : "server_error");
        told.put("param", null);
        told.put("code", null);
        Map<String, Object> error = error(failure.getClass().getSimpleName(), message);
        return response(index, key, asked ? BAD_REQUEST : SERVER_ERROR, Map.of("error", told), error);
    }

    private List<Map<String, Object>> logprobs(Reply reply) {
        List<Map<String, Object>> all = new ArrayList<>();
        for (int i = 0; i < reply.logprobs().size(); i++) {
            all.add(logprobs.token(reply.logprobs().get(i), reply.alternatives().get(i)));
        }
        return all;
    }

    /** Whether a line of this form is an answer. */
    static boolean isAnswer(JsonNode line) {
        return line.path("response").path("status_code").asInt() == OK
                && line.path("error").isNull();
    }

    /** What the line says of the request it answers; null if it is another program's. */
    static @Nullable String key(JsonNode line) {
        String id = line.path("response").path("request_id").asText("");
        return id.startsWith(REQUEST) ? id.substring(REQUEST.length()) : null;
    }

    private Map<String, Object> begin(int index) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("id", "batch_req_" + index);
        line.put("custom_id", customId);
        return line;
    }

    private Map<String, Object> response(
            int index, String key, int status, Map<String, Object> body, @Nullable Map<String, Object> error) {
        Map<String, Object> response = new LinkedHashMap<>();
        response.put("status_code", status);
        response.put("request_id", REQUEST + key);
        response.put("body", body);
        Map<String, Object> line = begin(index);
        line.put("response", response);
        line.put("error", error);
        return line;
    }

    private static Map<String, Object> error(String code, String message) {
        Map<String, Object> error = new LinkedHashMap<>();
        error.put("code", code);
        error.put("message", message);
        return error;
    }
}
