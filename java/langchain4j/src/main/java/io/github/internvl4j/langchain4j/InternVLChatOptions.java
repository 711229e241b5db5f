package io.github.internvl4j.langchain4j;

import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import io.github.internvl4j.GenerationConfig;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;

/** What a chat model does where a request does not say otherwise. Immutable: every setter returns a changed copy. */
public final class InternVLChatOptions {
    private static final InternVLChatOptions DEFAULTS = new InternVLChatOptions(
            GenerationConfig.defaults(),
            DefaultChatRequestParameters.EMPTY,
            List.of(),
            InternVLChatOptions::onThreadOfItsOwn);

    private final GenerationConfig config;
    private final ChatRequestParameters parameters;
    private final List<ChatModelListener> listeners;
    private final Executor executor;

    private InternVLChatOptions(
            GenerationConfig config,
            ChatRequestParameters parameters,
            List<ChatModelListener> listeners,
            Executor executor) {
        this.config = Objects.requireNonNull(config, "config");
        this.parameters = Objects.requireNonNull(parameters, "parameters");
        this.listeners = List.copyOf(Objects.requireNonNull(listeners, "listeners"));
        this.executor = Objects.requireNonNull(executor, "executor");
    }

    private static void onThreadOfItsOwn(Runnable answer) {
        Thread thread = new Thread(answer, "internvl4j-langchain4j");
        thread.setDaemon(true);
        thread.start();
    }

    /** The library's own: greedy, at most 1,024 new tokens; no listeners; a thread for each streamed answer. */
    public static InternVLChatOptions defaults() {
        return DEFAULTS;
    }

    /**
     * With another way to draw answers. {@link #parameters} and those of a request come on top of it; what LangChain4j has no name
     * for, such as the seed or the repetition penalty, is set here.
     */
    public InternVLChatOptions config(GenerationConfig value) {
        return new InternVLChatOptions(value, parameters, listeners, executor);
    }

    /** With other parameters for requests that do not bring their own. */
    public InternVLChatOptions parameters(ChatRequestParameters value) {
        return new InternVLChatOptions(config, value, listeners, executor);
    }

    /** With other listeners, told by LangChain4j of every request, response and error. */
    public InternVLChatOptions listeners(List<ChatModelListener> value) {
        return new InternVLChatOptions(config, parameters, value, executor);
    }

    /**
     * With another place for streamed answers to be computed and told of. Each takes a thread from its beginning to its end. A plain
     * answer is computed on the thread that asks.
     */
    public InternVLChatOptions executor(Executor value) {
        return new InternVLChatOptions(config, parameters, listeners, value);
    }

    /** How answers are drawn where no parameter says otherwise. */
    public GenerationConfig config() {
        return config;
    }

    /** The parameters of requests that do not bring their own. */
    public ChatRequestParameters parameters() {
        return parameters;
    }

    /** Who is told of requests, responses and errors. */
    public List<ChatModelListener> listeners() {
        return listeners;
    }

    /** Where streamed answers are computed; by default on a new daemon thread for each. */
    public Executor executor() {
        return executor;
    }
}
