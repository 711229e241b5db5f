package io.github.internvl4j.langchain4j;

import dev.langchain4j.model.ModelProvider;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.error.InternVLException;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * A chat model of LangChain4j over a loaded model in the same process.
 *
 * <pre>{@code
 * try (InternVL model = InternVL.load(Path.of("InternVL3-1B"))) {
 *     ChatModel chat = InternVLChatModel.of(model);
 *     System.out.println(chat.chat("Hello, who are you?"));
 * }
 * }</pre>
 *
 * <p>Thread-safe: any number of threads may ask at once, and several chat models may share one loaded model, which its owner
 * closes. An answer is the one of {@link InternVL#generate} for the same prompt. Interrupting a thread that asks ends its answer with
 * what there was; its interrupt status stays set.
 */
public final class InternVLChatModel implements ChatModel {
    private final InternVL model;
    private final InternVLChatOptions options;

    private InternVLChatModel(InternVL model, InternVLChatOptions options) {
        this.model = Objects.requireNonNull(model, "model");
        this.options = Objects.requireNonNull(options, "options");
    }

    /** A chat model with {@link InternVLChatOptions#defaults()}. */
    public static InternVLChatModel of(InternVL model) {
        return of(model, InternVLChatOptions.defaults());
    }

    /**
     * A chat model.
     *
     * @param model its owner's to close, when no chat model over it is used any more
     * @param options what requests get that do not say otherwise
     */
    public static InternVLChatModel of(InternVL model, InternVLChatOptions options) {
        return new InternVLChatModel(model, options);
    }

    @Override
    public ChatResponse doChat(ChatRequest request) {
        Conversation conversation = Conversation.of(request, options.config());
        try {
            return conversation.response(model.generate(conversation.prompt(), conversation.config()));
        } catch (InternVLException failure) {
            throw Failures.of(failure);
        }
    }

    @Override
    public ChatRequestParameters defaultRequestParameters() {
        return options.parameters();
    }

    @Override
    public List<ChatModelListener> listeners() {
        return options.listeners();
    }

    @Override
    public ModelProvider provider() {
        return ModelProvider.OTHER;
    }

    /** Answers can be held to a JSON schema. */
    @Override
    public Set<Capability> supportedCapabilities() {
        return Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);
    }
}
