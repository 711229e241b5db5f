package io.github.internvl4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.Cancellation;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.ReplyListener;
import io.github.internvl4j.error.SchemaException;
import io.github.internvl4j.server.openai.AnswerFields;
import io.github.internvl4j.server.openai.FieldException;
import io.github.internvl4j.server.openai.Fields;
import io.github.internvl4j.server.openai.OneWay;
import io.github.internvl4j.server.openai.Structure;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * What a request asks, and how it wants its answers. Every field but the images is looked at when it is made.
 *
 * @param asked made when its turn comes, so that images of requests that wait take no memory
 * @param choices how many answers
 * @param logprobs whether tokens are told with how likely they were
 * @param topLogprobs how many alternatives of each
 * @param structure of the answers
 */
record Question(
        Supplier<Asked> asked,
        GenerationConfig config,
        int choices,
        boolean stream,
        boolean usage,
        boolean logprobs,
        int topLogprobs,
        Structure structure) {
    private static final SecureRandom RANDOM = new SecureRandom();

    /** What is asked, with its images. */
    interface Asked {
        Reply ask(GenerationConfig config, ReplyListener listener, Cancellation cancellation);
    }

    static Question ofChat(Fields body, Served served, Conversation conversation) {
        OneWay.CHAT.require(body);
        AnswerFields fields = AnswerFields.of(body);
        Integer top = body.count("top_logprobs");
        boolean logprobs = Boolean.TRUE.equals(body.flag("logprobs"));
        return of(
                about(served, conversation), fields, body, served, logprobs, top == null ? 0 : top, Structure.of(body));
    }

    private static Supplier<Asked> about(Served served, Conversation conversation) {
        return () -> new AskedPrompt(served.model(), conversation.prompt());
    }

    /** The same of a conversation whose images have come. */
    Question of(Served served, Conversation conversation) {
        return new Question(
                about(served, conversation), config, choices, stream, usage, logprobs, topLogprobs, structure);
    }

    /** @param caller as {@link Gate#caller} names it */
    static Question ofCompletion(Fields body, Served served, String caller) {
        OneWay.COMPLETIONS.require(body);
        List<Integer> tokens = tokens(body, served.model());
        Integer top = body.count("logprobs");
        if (top != null && (top < 0 || top > Limits.TOP_LOGPROBS)) {
            throw body.wrong("logprobs", "0 to " + Limits.TOP_LOGPROBS, body.required("logprobs"));
        }
        AnswerFields fields = AnswerFields.of(body, top == null ? 0 : Math.max(1, top));
        return of(
                () -> new AskedTokens(served.model(), tokens, caller),
                fields,
                body,
                served,
                top != null,
                top == null ? 0 : top,
                Structure.TEXT);
    }

    /** A text, in which special tokens are meant as they are for other such servers, or ids; an array may hold one text. */
    private static List<Integer> tokens(Fields body, InternVL model) {
        JsonNode prompt = body.required("prompt");
        JsonNode only = prompt.isArray() && prompt.size() == 1 && !prompt.get(0).isNumber() ? prompt.get(0) : prompt;
        if (only.isTextual()) {
            return Arrays.stream(model.tokenizer().encode(only.textValue()))
                    .boxed()
                    .toList();
        }
        if (!only.isArray() || only.isEmpty() || !only.get(0).isNumber()) {
            throw body.wrong("prompt", "one text, or one array of token ids", prompt);
        }
        return new Fields.Entry(body.path("prompt"), only).list("an array of token ids", Fields.Entry::count);
    }

    private static Question of(
            Supplier<Asked> asked,
            AnswerFields fields,
            Fields body,
            Served served,
            boolean logprobs,
            int topLogprobs,
            Structure structure) {
        if (topLogprobs < 0 || topLogprobs > Limits.TOP_LOGPROBS) {
            throw body.wrong("top_logprobs", "0 to " + Limits.TOP_LOGPROBS, body.required("top_logprobs"));
        }
        if (fields.stop() != null && fields.stop().size() > Limits.STOPS) {
            throw body.wrong("stop", "at most " + Limits.STOPS + " texts", body.required("stop"));
        }
        Integer choices = body.count("n");
        if (choices != null && (choices < 1 || choices > Limits.CHOICES)) {
            throw body.wrong("n", "1 to " + Limits.CHOICES, body.required("n"));
        }
        GenerationConfig base =
                GenerationConfig.greedy(served.model().info().contextLength()).seed(RANDOM.nextLong());
        boolean stream = Boolean.TRUE.equals(body.flag("stream"));
        Fields options = body.object("stream_options");
        boolean usage = options != null && Boolean.TRUE.equals(options.flag("include_usage"));
        return new Question(
                asked,
                served.of(structured(fields.config(base), structure, body, served.model())),
                choices == null ? 1 : choices,
                stream,
                usage,
                logprobs,
                topLogprobs,
                structure);
    }

    /** A schema is looked at before the request waits: what it asks for and cannot be done is the request's fault. */
    private static GenerationConfig structured(
            GenerationConfig config, Structure structure, Fields body, InternVL model) {
        String whole = structure.schema();
        if (whole == null) {
            return config;
        }
        if (config.minNewTokens() > 0) {
            throw body.wrong("min_tokens", "0 beside JSON, which ends where it is whole", body.required("min_tokens"));
        }
        structure.parts().forEach((path, schema) -> {
            try {
                model.requireSchema(schema);
            } catch (SchemaException e) {
                throw new FieldException(path + e.pointer(), String.valueOf(e.getMessage()), e);
            }
        });
        return config.jsonSchema(whole);
    }

    /** The choices of one request are drawn with seeds one after the other, so that each can be asked for again. */
    GenerationConfig config(int choice) {
        return config.seed(config.seed() + choice);
    }

    private record AskedPrompt(InternVL model, Prompt prompt) implements Asked {
        @Override
        public Reply ask(GenerationConfig config, ReplyListener listener, Cancellation cancellation) {
            return model.generate(prompt, config, listener, cancellation);
        }
    }

    private record AskedTokens(InternVL model, List<Integer> tokens, String salt) implements Asked {
        @Override
        public Reply ask(GenerationConfig config, ReplyListener listener, Cancellation cancellation) {
            return model.complete(tokens, salt, config, listener, cancellation);
        }
    }
}
