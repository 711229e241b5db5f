package io.github.internvl4j.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.ContentType;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.PromptBuilder;
import io.github.internvl4j.Reply;
import io.github.internvl4j.Tools;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.text.SpecialTokens;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A request of LangChain4j as the library takes it, and the library's reply as LangChain4j does.
 *
 * @param prompt what is asked; special tokens in its texts are text, for who typed them may be unknown
 * @param config how the answer is drawn
 * @param modelName what the request calls the model
 * @param tools that the answer calls one of; none where it is a text
 */
record Conversation(Prompt prompt, GenerationConfig config, String modelName, Tools tools) {
    private static final String UNNAMED = "internvl";

    /**
     * Reads a request.
     *
     * @param defaults how its answer is drawn where it does not say
     * @throws InvalidRequestException if it can never be answered as it is
     * @throws UnsupportedFeatureException if it asks for what is not there
     */
    static Conversation of(ChatRequest request, GenerationConfig defaults) {
        Supported.require(request);
        try {
            String name = request.modelName();
            Tools tools = ToolCalls.required(request);
            return new Conversation(
                    prompt(request.messages()),
                    calling(tools, Drawing.of(request, defaults)),
                    name == null ? UNNAMED : name,
                    tools);
        } catch (InternVLException failure) {
            throw Failures.of(failure);
        }
    }

    private static GenerationConfig calling(Tools tools, GenerationConfig config) {
        if (tools.isEmpty()) {
            return config;
        }
        if (config.jsonSchema() != null) {
            throw new InvalidRequestException(
                    "responseFormat is JSON beside the toolChoice REQUIRED, expected only one of the two");
        }
        return config.jsonSchema(tools.schema());
    }

    private static Prompt prompt(List<ChatMessage> messages) {
        ChatMessage last = messages.get(messages.size() - 1);
        if (!(last instanceof UserMessage) && !(last instanceof ToolExecutionResultMessage)) {
            throw new InvalidRequestException(
                    "the last message is of type " + last.type() + ", expected the user's or a tool's result");
        }
        PromptBuilder built = PromptBuilder.of(SpecialTokens.LITERAL);
        int images = 0;
        for (ChatMessage message : messages) {
            if (message instanceof SystemMessage system) {
                built.system(system.text());
            } else if (message instanceof AiMessage answer) {
                built.assistant(text(answer));
            } else {
                Prompt laidOut = laidOut(contents(message), images);
                images += laidOut.images().size();
                built.user(laidOut);
            }
        }
        return built.prompt();
    }

    /** A tool's result is to the model what the user says. */
    private static List<Content> contents(ChatMessage message) {
        return message instanceof ToolExecutionResultMessage result
                ? result.contents()
                : ((UserMessage) message).contents();
    }

    private static String text(AiMessage answer) {
        Stream<String> calls = answer.toolExecutionRequests().stream().map(ToolCalls::text);
        return Stream.concat(Stream.ofNullable(answer.text()), calls).collect(Collectors.joining("\n"));
    }

    /** A message as one text, in which its images have their places. */
    private static Prompt laidOut(List<Content> contents, int earlierImages) {
        Prompt prompt = Prompt.of("").placeholders(List.of());
        int number = earlierImages;
        ContentType last = ContentType.IMAGE;
        for (Content content : PromptBuilder.usualOrder(contents, TextContent.class::isInstance)) {
            if (content instanceof TextContent part) {
                prompt = prompt.and(last == ContentType.TEXT ? "\n" + part.text() : part.text());
            } else if (content instanceof ImageContent part) {
                prompt = prompt.and(Pictures.image(part.image(), "image " + ++number))
                        .and("\n");
            }
            last = content.type();
        }
        return prompt;
    }

    /** Whether the answer is a call of a tool, and no text. */
    boolean calls() {
        return !tools.isEmpty();
    }

    /** The library's reply. */
    ChatResponse response(Reply reply) {
        AiMessage answer = calls() ? call(reply) : AiMessage.from(reply.text());
        return ChatResponse.builder()
                .id("internvl4j-" + UUID.randomUUID())
                .modelName(modelName)
                .aiMessage(answer)
                .tokenUsage(new TokenUsage(
                        reply.promptTokens().size(), reply.tokens().size()))
                .finishReason(answer.hasToolExecutionRequests() ? FinishReason.TOOL_EXECUTION : finish(reply))
                .build();
    }

    /** A call that was cut is none: who executed it would do something else. */
    private AiMessage call(Reply reply) {
        return ToolCalls.in(reply.text(), tools)
                .map(AiMessage::from)
                .orElseGet(() -> AiMessage.builder().build());
    }

    private static FinishReason finish(Reply reply) {
        return switch (reply.finish()) {
            case STOP -> FinishReason.STOP;
            case LENGTH -> FinishReason.LENGTH;
            case CANCELLED -> FinishReason.OTHER;
        };
    }
}
