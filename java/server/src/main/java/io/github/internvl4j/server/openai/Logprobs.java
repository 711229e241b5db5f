package io.github.internvl4j.server.openai;

import io.github.internvl4j.TokenLogprob;
import io.github.internvl4j.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Tokens with how likely the model held them, in OpenAI's form. */
public final class Logprobs {
    private final Tokenizer tokenizer;
    private final int most;

    /** @param most how many alternatives are told of each token */
    public Logprobs(Tokenizer tokenizer, int most) {
        this.tokenizer = tokenizer;
        this.most = most;
    }

    /** One token, with its alternatives. */
    public Map<String, Object> token(TokenLogprob token, List<TokenLogprob> alternatives) {
        Map<String, Object> fields = candidate(token);
        fields.put(
                "top_logprobs",
                alternatives.stream().limit(most).map(this::candidate).toList());
        return fields;
    }

    private Map<String, Object> candidate(TokenLogprob candidate) {
        byte[] bytes = bytes(candidate.token());
        List<Integer> numbers = new ArrayList<>();
        for (byte b : bytes) {
            numbers.add(b & 0xff);
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("token", new String(bytes, StandardCharsets.UTF_8));
        fields.put("logprob", candidate.logprob());
        fields.put("bytes", numbers);
        return fields;
    }

    /** What a token adds to a text. A model may have more rows than its tokenizer has tokens: those add nothing. */
    private byte[] bytes(int id) {
        return tokenizer.contains(id) ? tokenizer.tokenBytes(id) : new byte[0];
    }

    /** A token as text, its incomplete characters as U+FFFD. */
    public String text(int id) {
        return new String(bytes(id), StandardCharsets.UTF_8);
    }
}
