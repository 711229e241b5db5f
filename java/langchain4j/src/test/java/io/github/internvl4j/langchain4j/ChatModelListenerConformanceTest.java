package io.github.internvl4j.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.util.List;

/** LangChain4j's own tests of what listeners hear of a chat model. */
class ChatModelListenerConformanceTest extends AbstractChatModelListenerIT {
    @Override
    protected ChatModel createModel(ChatModelListener listener) {
        return model(listener, topP());
    }

    @Override
    protected String modelName() {
        return "demo";
    }

    @Override
    protected ChatModel createFailingModel(ChatModelListener listener) {
        return model(listener, 2.0);
    }

    private ChatModel model(ChatModelListener listener, double topP) {
        return InternVLChatModel.of(Demo.MODEL, options(modelName(), temperature(), topP, maxTokens(), listener));
    }

    static InternVLChatOptions options(
            String name, double temperature, double topP, int maxTokens, ChatModelListener listener) {
        ChatRequestParameters parameters = ChatRequestParameters.builder()
                .modelName(name)
                .temperature(temperature)
                .topP(topP)
                .maxOutputTokens(maxTokens)
                .build();
        return InternVLChatOptions.defaults().parameters(parameters).listeners(List.of(listener));
    }

    @Override
    protected Class<? extends Exception> expectedExceptionClass() {
        return InvalidRequestException.class;
    }
}
