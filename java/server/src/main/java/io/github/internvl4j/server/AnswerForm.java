package io.github.internvl4j.server;

import io.github.internvl4j.FinishReason;
import io.github.internvl4j.Reply;
import io.github.internvl4j.TokenLogprob;
import io.github.internvl4j.Tools;
import io.github.internvl4j.server.openai.Logprobs;
import io.github.internvl4j.server.openai.Structure;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The JSON of answers. Clients are particular about it: the usage stands in a chunk of its own without choices, no chunk of a choice
 * comes behind its finish_reason, which is there and null before, and a role stands in the first chunk only.
 */
abstract class AnswerForm {
    private final Served served;
    private final String object;
    private final String chunk;
    private final String id;
    private final long created = System.currentTimeMillis() / 1000;
    private final boolean logprobs;
    private final Logprobs tokens;

    private AnswerForm(Served served, Question question, String object, String chunk, String prefix) {
        this.served = served;
        this.object = object;
        this.chunk = chunk;
        id = prefix + UUID.randomUUID().toString().replace("-", "");
        logprobs = question.logprobs();
        tokens = new Logprobs(served.model().tokenizer(), question.topLogprobs());
    }

    static AnswerForm ofChat(Served served, Question question) {
        return new Chat(served, question);
    }

    static AnswerForm ofCompletion(Served served, Question question) {
        return new Completion(served, question);
    }

    /** A choice's first chunk; null if it has none of its own. */
    abstract @Nullable Map<String, Object> first(int choice);

    abstract Map<String, Object> text(int choice, String text, @Nullable Object logprobs);

    abstract Map<String, Object> last(int choice, FinishReason reason);

    abstract Map<String, Object> choice(int choice, Reply reply);

    /** What of a whole answer its chunks did not have; null if they had all. */
    @Nullable
    Map<String, Object> rest(int choice, Reply reply) {
        return null;
    }

    /** Whether chunks have the answer's text as it comes. */
    boolean tellsText() {
        return true;
    }

    /** Tokens with how likely they were; null where that was not asked for. */
    abstract @Nullable Object logprobs(List<TokenLogprob> chosen, List<List<TokenLogprob>> alternatives);

    boolean hasLogprobs() {
        return logprobs;
    }

    Logprobs tokens() {
        return tokens;
    }

    /** A chunk of a choice. */
    Map<String, Object> chunk(Map<String, Object> choice) {
        return envelope(chunk, List.of(choice), null);
    }

    /** The chunk behind all choices. */
    Map<String, Object> usage(List<Reply> replies) {
        return envelope(chunk, List.of(), usageOf(replies));
    }

    Map<String, Object> whole(List<Reply> replies) {
        List<Map<String, Object>> choices = IntStream.range(0, replies.size())
                .mapToObj(i -> choice(i, replies.get(i)))
                .toList();
        return envelope(object, choices, usageOf(replies));
    }

    private Map<String, Object> envelope(
            String kind, List<Map<String, Object>> choices, @Nullable Map<String, Object> usage) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("id", id);
        all.put("object", kind);
        all.put("created", created);
        all.put("model", served.name());
        all.put("system_fingerprint", served.fingerprint());
        all.put("choices", choices);
        all.put("usage", usage);
        return all;
    }

    private static Map<String, Object> usageOf(List<Reply> replies) {
        int prompt = replies.get(0).promptTokens().size();
        int answers = replies.stream().mapToInt(reply -> reply.tokens().size()).sum();
        Map<String, Object> usage = new LinkedHashMap<>();
        usage.put("prompt_tokens", prompt);
        usage.put("completion_tokens", answers);
        usage.put("total_tokens", prompt + answers);
        usage.put(
                "prompt_tokens_details",
                Map.of("cached_tokens", replies.get(0).timings().reusedTokens()));
        return usage;
    }

    private static Map<String, Object> ofChoice(
            int choice, String name, Object said, @Nullable Object logprobs, @Nullable String reason) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("index", choice);
        fields.put(name, said);
        fields.put("logprobs", logprobs);
        fields.put("finish_reason", reason);
        return fields;
    }

    private static String name(FinishReason reason) {
        return reason.name().toLowerCase(Locale.ROOT);
    }

    private static final class Chat extends AnswerForm {
        private final Structure structure;

        Chat(Served served, Question question) {
            super(served, question, "chat.completion", "chat.completion.chunk", "chatcmpl-");
            structure = question.structure();
        }

        /** What the answer calls, in a list; null if it is a text, or was cut too early. */
        private @Nullable List<Map<String, Object>> calls(Reply reply) {
            Tools.Call call = structure.call(reply.text());
            if (call == null) {
                return null;
            }
            Map<String, Object> told = new LinkedHashMap<>();
            told.put("index", 0);
            told.put("id", "call_" + UUID.randomUUID().toString().replace("-", ""));
            told.put("type", "function");
            told.put("function", Map.of("name", call.name(), "arguments", call.arguments()));
            return List.of(told);
        }

        @Override
        boolean tellsText() {
            return !structure.calls();
        }

        @Override
        @Nullable
        Map<String, Object> rest(int choice, Reply reply) {
            List<Map<String, Object>> calls = calls(reply);
            return calls == null ? null : ofChoice(choice, "delta", Map.of("tool_calls", calls), null, null);
        }

        private String reason(FinishReason reason) {
            return structure.calls() && reason == FinishReason.STOP ? "tool_calls" : name(reason);
        }

        @Override
        Map<String, Object> first(int choice) {
            Map<String, Object> delta = new LinkedHashMap<>();
            delta.put("role", "assistant");
            delta.put("content", structure.calls() ? null : "");
            return ofChoice(choice, "delta", delta, null, null);
        }

        @Override
        Map<String, Object> text(int choice, String text, @Nullable Object logprobs) {
            return ofChoice(choice, "delta", Map.of("content", text), logprobs, null);
        }

        @Override
        Map<String, Object> last(int choice, FinishReason reason) {
            return ofChoice(choice, "delta", Map.of(), null, reason(reason));
        }

        @Override
        Map<String, Object> choice(int choice, Reply reply) {
            Map<String, Object> message = new LinkedHashMap<>();
            message.put("role", "assistant");
            message.put("content", structure.calls() ? null : reply.text());
            List<Map<String, Object>> calls = calls(reply);
            if (calls != null) {
                message.put("tool_calls", calls);
            }
            return ofChoice(
                    choice,
                    "message",
                    message,
                    logprobs(reply.logprobs(), reply.alternatives()),
                    reason(reply.finish()));
        }

        @Override
        @Nullable
        Object logprobs(List<TokenLogprob> chosen, List<List<TokenLogprob>> alternatives) {
            if (!hasLogprobs()) {
                return null;
            }
            return Map.of(
                    "content",
                    IntStream.range(0, chosen.size())
                            .mapToObj(i -> tokens().token(chosen.get(i), alternatives.get(i)))
                            .toList());
        }
    }

    private static final class Completion extends AnswerForm {
        private final int most;

        Completion(Served served, Question question) {
            super(served, question, "text_completion", "text_completion", "cmpl-");
            most = question.topLogprobs();
        }

        @Override
        @Nullable
        Map<String, Object> first(int choice) {
            return null;
        }

        @Override
        Map<String, Object> text(int choice, String text, @Nullable Object logprobs) {
            return ofChoice(choice, "text", text, logprobs, null);
        }

        @Override
        Map<String, Object> last(int choice, FinishReason reason) {
            return ofChoice(choice, "text", "", null, name(reason));
        }

        @Override
        Map<String, Object> choice(int choice, Reply reply) {
            Object logprobs = logprobs(reply.logprobs(), reply.alternatives());
            return ofChoice(choice, "text", reply.text(), logprobs, name(reply.finish()));
        }

        @Override
        @Nullable
        Object logprobs(List<TokenLogprob> chosen, List<List<TokenLogprob>> alternatives) {
            if (!hasLogprobs()) {
                return null;
            }
            Map<String, Object> all = new LinkedHashMap<>();
            all.put(
                    "tokens",
                    chosen.stream().map(token -> tokens().text(token.token())).toList());
            all.put("token_logprobs", chosen.stream().map(TokenLogprob::logprob).toList());
            all.put("top_logprobs", alternatives.stream().map(this::named).toList());
            return all;
        }

        private Map<String, Float> named(List<TokenLogprob> alternatives) {
            Map<String, Float> named = new LinkedHashMap<>();
            alternatives.stream()
                    .limit(most)
                    .forEach(token -> named.putIfAbsent(tokens().text(token.token()), token.logprob()));
            return named;
        }
    }
}
