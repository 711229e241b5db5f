package io.github.internvl4j.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.internal.Json;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ToolChoice;
import io.github.internvl4j.Tools;
import java.util.Optional;
import java.util.UUID;

/** Tools as the library takes them, and its calls as LangChain4j does. */
final class ToolCalls {
    private ToolCalls() {}

    /**
     * The tools that an answer must call one of; none where it is a text.
     *
     * @throws InvalidRequestException if it must call one and there is none
     */
    static Tools required(ChatRequest request) {
        Tools tools = Tools.none();
        if (request.toolChoice() != ToolChoice.REQUIRED) {
            return tools; // a model that was not trained to call tools would call none by itself
        }
        for (ToolSpecification tool : request.toolSpecifications()) {
            tools = tools.and(tool.name(), parameters(tool));
        }
        if (tools.isEmpty()) {
            throw new InvalidRequestException(
                    "toolChoice is REQUIRED, but there are no toolSpecifications, expected some");
        }
        return tools;
    }

    /** Of a tool that does not say otherwise all arguments are told, and no others. */
    private static String parameters(ToolSpecification tool) {
        return tool.parameters() == null
                ? Tools.NO_ARGUMENTS
                : Json.toJson(JsonSchemaElementUtils.toMap(tool.parameters(), !Boolean.FALSE.equals(tool.strict())));
    }

    /** What an answer calls; nothing if it was cut. */
    static Optional<ToolExecutionRequest> in(String answer, Tools tools) {
        return tools.call(answer)
                .map(call -> ToolExecutionRequest.builder()
                        .id("call_" + UUID.randomUUID())
                        .name(call.name())
                        .arguments(call.arguments())
                        .build());
    }

    /** An earlier call as the model wrote it. */
    static String text(ToolExecutionRequest made) {
        return new Tools.Call(made.name(), made.arguments()).text();
    }
}
