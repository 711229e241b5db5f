package io.github.internvl4j.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.ModelProvider;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import io.github.internvl4j.InternVL;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * A streaming chat model of LangChain4j over a loaded model in the same process.
 *
 * <p>Who asks does not wait, and images are decoded later. The handler is told of everything on the thread that computes the answer,
 * by {@link InternVLChatOptions#executor}. What goes wrong with a request is told there, too; only an {@link
 * UnsupportedFeatureException} is thrown at once. What the handler itself throws from a part of the answer or from its end is told to
 * its {@code onError}, and the answer goes on. All this is as with LangChain4j's own models.
 *
 * <p>{@link StreamingHandle#cancel()} ends the request in the runtime within the time of a layer. The handler hears nothing
 * more then.
 *
 * <p>Thread-safe, as {@link InternVLChatModel} is, with the same answers.
 */
public final class InternVLStreamingChatModel implements StreamingChatModel {
    private final InternVL model;
    private final InternVLChatOptions options;

    private InternVLStreamingChatModel(InternVL model, InternVLChatOptions options) {
        this.model = Objects.requireNonNull(model, "model");
        this.options = Objects.requireNonNull(options, "options");
    }

    /** A streaming chat model with {@link InternVLChatOptions#defaults()}. */
    public static InternVLStreamingChatModel of(InternVL model) {
        return of(model, InternVLChatOptions.defaults());
    }

    /**
     * A streaming chat model.
     *
     * @param model its owner's to close, when no chat model over it is used any more
     * @param options what requests get that do not say otherwise
     */
    public static InternVLStreamingChatModel of(InternVL model, InternVLChatOptions options) {
        return new InternVLStreamingChatModel(model, options);
    }

    @Override
    public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
        Supported.require(Objects.requireNonNull(request, "request"));
        new StreamedAnswer(model, handler).begin(request, options);
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
