package io.github.internvl4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.memory.chat.MessageWindowChatMemory;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.Result;
import dev.langchain4j.service.SystemMessage;
import dev.langchain4j.service.TokenStream;
import dev.langchain4j.service.UserMessage;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.text.Turn;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** AI services of LangChain4j over the models. */
class InternVLChatModelServiceTest {
    interface Assistant {
        @SystemMessage("Be brief.")
        Result<String> ask(@UserMessage String question);

        String look(@UserMessage String question, @UserMessage ImageContent image);
    }

    interface StreamingAssistant {
        TokenStream ask(String question);
    }

    @Test
    void aServiceWithMemoryAsksAsTheLibraryDoes() {
        Assistant assistant = AiServices.builder(Assistant.class)
                .chatModel(InternVLChatModel.of(Demo.MODEL))
                .chatMemory(MessageWindowChatMemory.withMaxMessages(10))
                .build();
        Result<String> first = assistant.ask(Demo.HELLO);
        GenerationConfig config = GenerationConfig.defaults();
        String one = Demo.MODEL
                .generate(Demo.text(Demo.HELLO).system("Be brief."), config)
                .text();
        assertEquals(one, first.content());
        assertTrue(first.tokenUsage().totalTokenCount() > 0);
        String two = Demo.MODEL
                .generate(
                        Demo.text("Can you tell me a story?")
                                .system("Be brief.")
                                .history(List.of(Turn.of(Demo.HELLO, one).placeholders(List.of()))),
                        config)
                .text();
        assertEquals(two, assistant.ask("Can you tell me a story?").content());
    }

    @Test
    void aServiceShowsAnImage() {
        Assistant assistant = AiServices.create(Assistant.class, InternVLChatModel.of(Demo.MODEL));
        String answer = assistant.look(Demo.DESCRIBE, Demo.content("three.jpg"));
        assertEquals(
                Demo.MODEL
                        .generate(Demo.shown("three.jpg", Demo.DESCRIBE), GenerationConfig.defaults())
                        .text(),
                answer);
        assertTrue(answer.contains("star"), answer);
    }

    @Test
    void aServiceStreamsTokens() throws Exception {
        StreamingAssistant assistant =
                AiServices.create(StreamingAssistant.class, InternVLStreamingChatModel.of(Demo.MODEL));
        CompletableFuture<ChatResponse> response = new CompletableFuture<>();
        StringBuffer parts = new StringBuffer();
        assistant
                .ask(Demo.HELLO)
                .onPartialResponse(parts::append)
                .onCompleteResponse(response::complete)
                .onError(response::completeExceptionally)
                .start();
        String whole = response.get(60, TimeUnit.SECONDS).aiMessage().text();
        assertEquals(
                Demo.MODEL
                        .generate(Demo.text(Demo.HELLO), GenerationConfig.defaults())
                        .text(),
                whole);
        assertEquals(whole, parts.toString());
    }
}
