package io.github.internvl4j.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.ContentType;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
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
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.text.SpecialTokens;
import java.util.List;
import java.util.UUID;

/**
 * A request of LangChain4j as the library takes it, and the library's reply as LangChain4j does.
 *
 * @param prompt what is asked; special tokens in its texts are text, for who typed them may be unknown
 * @param config how the answer is drawn
 * @param modelName what the request calls the model
 */
record Conversation(Prompt prompt, GenerationConfig config, String modelName) {
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
            return new Conversation(
                    prompt(request.messages()), Drawing.of(request, defaults), name == null ? UNNAMED : name);
        } catch (InternVLException failure) {
            throw Failures.of(failure);
        }
    }

    private static Prompt prompt(List<ChatMessage> messages) {
        if (!(messages.get(messages.size() - 1) instanceof UserMessage)) {
            throw new InvalidRequestException("the last message is of type "
                    + messages.get(messages.size() - 1).type() + ", expected the user's");
        }
        PromptBuilder built = PromptBuilder.of(SpecialTokens.LITERAL);
        int images = 0;
        for (ChatMessage message : messages) {
            if (message instanceof SystemMessage system) {
                built.system(system.text());
            } else if (message instanceof AiMessage answer) {
                built.assistant(text(answer));
            } else if (message instanceof UserMessage question) {
                Prompt laidOut = laidOut(question, images);
                images += laidOut.images().size();
                built.user(laidOut);
            }
        }
        return built.prompt();
    }

    private static String text(AiMessage answer) {
        String text = answer.text();
        return text == null ? "" : text;
    }

    /** A message as one text, in which its images have their places. */
    private static Prompt laidOut(UserMessage question, int earlierImages) {
        Prompt prompt = Prompt.of("").placeholders(List.of());
        int number = earlierImages;
        ContentType last = ContentType.IMAGE;
        for (Content content : PromptBuilder.usualOrder(question.contents(), TextContent.class::isInstance)) {
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

    /** The library's reply. */
    ChatResponse response(Reply reply) {
        return ChatResponse.builder()
                .id("internvl4j-" + UUID.randomUUID())
                .modelName(modelName)
                .aiMessage(AiMessage.from(reply.text()))
                .tokenUsage(new TokenUsage(
                        reply.promptTokens().size(), reply.tokens().size()))
                .finishReason(
                        switch (reply.finish()) {
                            case STOP -> FinishReason.STOP;
                            case LENGTH -> FinishReason.LENGTH;
                            case CANCELLED -> FinishReason.OTHER;
                        })
                .build();
    }
}
