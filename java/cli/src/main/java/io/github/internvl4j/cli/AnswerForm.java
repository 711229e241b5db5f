package io.github.internvl4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Reply;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.text.Tokenizer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the line of an answer looks like: as the line of its request. */
interface AnswerForm {
    /**
     * The form that goes with a request, which may be a wrong one.
     *
     * @param tokenizer spells tokens
     */
    static AnswerForm of(JsonNode request, Tokenizer tokenizer) {
        return OpenAiForm.is(request) ? new OpenAiForm(request, tokenizer) : new Own(request.get("id"));
    }

    /** @param key what tells the request from a changed one */
    Map<String, Object> reply(int index, String key, Reply reply, GenerationConfig config);

    Map<String, Object> failure(int index, String key, InternVLException failure, String message);

    /**
     * Our own form.
     *
     * @param id of the request, given back as it is; null if it has none
     */
    record Own(@Nullable JsonNode id) implements AnswerForm {
        @Override
        public Map<String, Object> reply(int index, String key, Reply reply, GenerationConfig config) {
            Map<String, Object> line = begin(index, key);
            line.putAll(Json.of(reply, config));
            return line;
        }

        @Override
        public Map<String, Object> failure(int index, String key, InternVLException failure, String message) {
            Map<String, String> error = new LinkedHashMap<>();
            error.put("type", failure.getClass().getSimpleName());
            error.put("message", message);
            Map<String, Object> line = begin(index, key);
            line.put("error", error);
            return line;
        }

        private Map<String, Object> begin(int index, String key) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("index", index);
            line.put("request", key);
            if (id != null) {
                line.put("id", id);
            }
            return line;
        }
    }
}
