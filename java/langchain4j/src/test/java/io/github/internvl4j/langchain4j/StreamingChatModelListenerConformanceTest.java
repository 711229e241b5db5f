package io.github.internvl4j.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;

/** LangChain4j's own tests of what listeners hear of a streaming chat model. */
class StreamingChatModelListenerConformanceTest extends AbstractStreamingChatModelListenerIT {
    @Override
    protected StreamingChatModel createModel(ChatModelListener listener) {
        return model(listener, topP());
    }

    @Override
    protected String modelName() {
        return "demo";
    }

    @Override
    protected StreamingChatModel createFailingModel(ChatModelListener listener) {
        return model(listener, 2.0);
    }

    private StreamingChatModel model(ChatModelListener listener, double topP) {
        return InternVLStreamingChatModel.of(
                Demo.MODEL,
                ChatModelListenerConformanceTest.options(modelName(), temperature(), topP, maxTokens(), listener));
    }

    @Override
    protected Class<? extends Exception> expectedExceptionClass() {
        return InvalidRequestException.class;
    }
}
