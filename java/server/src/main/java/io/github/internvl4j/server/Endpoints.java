package io.github.internvl4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.server.openai.Fields;
import io.github.internvl4j.server.openai.JsonText;
import io.github.internvl4j.text.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the paths that need no answer of the model do, and what all of them make of a body. */
final class Endpoints {
    private Endpoints() {}

    /**
     * A body as JSON.
     *
     * @throws ApiError if it is none
     */
    static Fields body(byte[] bytes) {
        return Fields.of(JsonText.parse(utf8(bytes)), "");
    }

    private static String utf8(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new InvalidOptionException("the request's body is not UTF-8, expected JSON in UTF-8", e);
        }
    }

    static Object models(Served served) {
        return Map.of("object", "list", "data", served.entries());
    }

    /** A text's tokens. */
    static Object tokenize(Fields body, Served served) {
        int[] tokens = served.model().tokenizer().encode(body.requiredText("prompt"));
        return tokens(body, served, Arrays.stream(tokens).boxed().toList());
    }

    /** A conversation's. */
    static Object tokenize(Fields body, Served served, Conversation conversation) {
        return tokens(body, served, served.model().promptTokens(conversation.prompt()));
    }

    private static Object tokens(Fields body, Served served, List<Integer> tokens) {
        InternVL model = served.model();
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("count", tokens.size());
        told.put("max_model_len", model.info().contextLength());
        told.put("tokens", tokens);
        if (Boolean.TRUE.equals(body.flag("return_token_strs"))) {
            told.put(
                    "token_strs",
                    tokens.stream().map(model.tokenizer()::tokenText).toList());
        }
        return told;
    }

    static Object detokenize(Fields body, Served served) {
        JsonNode ids = body.required("tokens");
        Tokenizer tokenizer = served.model().tokenizer();
        List<Integer> tokens = new Fields.Entry("tokens", ids).list("an array of token ids", entry -> {
            if (!tokenizer.contains(entry.count())) {
                throw entry.wrong("the id of a token, 0 to " + (tokenizer.vocabularySize() - 1));
            }
            return entry.count();
        });
        return Map.of(
                "prompt",
                tokenizer.decode(tokens.stream().mapToInt(Integer::intValue).toArray(), false));
    }

    /** What the model reads of a conversation, so that nobody has to guess. */
    static Object render(Served served, Conversation conversation) {
        Prompt prompt = conversation.prompt();
        List<Integer> tokens = served.model().promptTokens(prompt);
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("prompt", served.model().promptText(prompt));
        told.put("prompt_token_ids", tokens);
        told.put("count", tokens.size());
        return told;
    }
}
