package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** LangChain4j's client, which offers an upgrade to HTTP/2 with every request. */
class LangChain4jTest {
    @RegisterExtension
    static final Fixture fixture = new Fixture();

    private static ChatRequest asked() {
        String image = Fixture.image("three.jpg");
        return ChatRequest.builder()
                .messages(UserMessage.from(
                        ImageContent.from(image.substring(image.indexOf(',') + 1), "image/jpeg"),
                        TextContent.from("Please describe the image in detail.")))
                .build();
    }

    @Test
    void plainAndStreamedAnswersAreEqual() throws Exception {
        String url = fixture.uri("/v1").toString();
        ChatResponse plain = OpenAiChatModel.builder()
                .baseUrl(url)
                .apiKey("none")
                .modelName(Fixture.NAME)
                .build()
                .chat(asked());
        assertTrue(plain.aiMessage().text().contains("star"), plain.aiMessage().text());
        CompletableFuture<ChatResponse> streamed = new CompletableFuture<>();
        StringBuilder parts = new StringBuilder();
        OpenAiStreamingChatModel.builder()
                .baseUrl(url)
                .apiKey("none")
                .modelName(Fixture.NAME)
                .build()
                .chat(asked(), new StreamingChatResponseHandler() {
                    @Override
                    public void onPartialResponse(String part) {
                        parts.append(part);
                    }

                    @Override
                    public void onCompleteResponse(ChatResponse response) {
                        streamed.complete(response);
                    }

                    @Override
                    public void onError(Throwable failure) {
                        streamed.completeExceptionally(failure);
                    }
                });
        ChatResponse whole = streamed.get(60, TimeUnit.SECONDS);
        assertEquals(plain.aiMessage().text(), parts.toString());
        assertEquals(plain.tokenUsage().totalTokenCount(), whole.tokenUsage().totalTokenCount());
        assertEquals(plain.finishReason(), whole.finishReason());
    }

    @Test
    void anUnknownModelIsOfItsType() {
        OpenAiChatModel other = OpenAiChatModel.builder()
                .baseUrl(fixture.uri("/v1").toString())
                .apiKey("none")
                .modelName("gpt-4o")
                .maxRetries(0)
                .build();
        assertThrows(ModelNotFoundException.class, () -> other.chat("Hello"));
    }
}
