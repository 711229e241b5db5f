package io.github.internvl4j.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;

/** What a request may ask for. */
final class Supported {
    private Supported() {}

    /**
     * Looks at all of a request, but into no image.
     *
     * @throws UnsupportedFeatureException naming what is not there
     */
    static void require(ChatRequest request) {
        request.messages().forEach(Supported::require);
    }

    private static void require(ChatMessage message) {
        if (message instanceof UserMessage question) {
            question.contents().forEach(Supported::require);
        } else if (message instanceof AiMessage answer) {
            refuseIf(!answer.images().isEmpty(), "an image in an answer");
        } else if (message instanceof ToolExecutionResultMessage result) {
            result.contents().forEach(Supported::require);
        } else {
            refuseIf(!(message instanceof SystemMessage), "a message of type " + message.type());
        }
    }

    private static void require(Content content) {
        if (content instanceof ImageContent image) {
            Pictures.requireHere(image.image());
        } else {
            refuseIf(!(content instanceof TextContent), "a content of type " + content.type());
        }
    }

    private static void refuseIf(boolean asked, String feature) {
        if (asked) {
            throw new UnsupportedFeatureException("the request has " + feature + ", which InternVL4J does not support");
        }
    }
}
