package io.github.internvl4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.NonRetriableException;
import dev.langchain4j.model.ModelProvider;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.listener.ChatModelRequestContext;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.text.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class InternVLChatModelTest {
    private static final ChatModel CHAT = InternVLChatModel.of(Demo.MODEL);

    private static void assertAnswers(Prompt prompt, GenerationConfig config, ChatResponse response) {
        Reply reply = Demo.MODEL.generate(prompt, config);
        assertEquals(reply.text(), response.aiMessage().text());
        assertEquals(reply.promptTokens().size(), response.tokenUsage().inputTokenCount());
        assertEquals(reply.tokens().size(), response.tokenUsage().outputTokenCount());
        assertEquals(reply.finish().name(), response.finishReason().name());
    }

    @Test
    void aTextIsAnsweredAsByTheLibrary() {
        ChatResponse response = CHAT.chat(UserMessage.from(Demo.HELLO));
        assertTrue(response.aiMessage().text().startsWith("I am a tiny InternVL model."));
        assertAnswers(Demo.text(Demo.HELLO), GenerationConfig.defaults(), response);
        assertEquals(FinishReason.STOP, response.finishReason());
        assertEquals("internvl", response.modelName());
        assertNotEquals(response.id(), CHAT.chat(UserMessage.from(Demo.HELLO)).id());
        assertEquals(response.aiMessage().text(), CHAT.chat(Demo.HELLO));
    }

    @Test
    void anImageIsAnsweredAsByTheLibrary() {
        ChatResponse response = CHAT.chat(UserMessage.from(Demo.content("three.jpg"), TextContent.from(Demo.DESCRIBE)));
        assertTrue(
                response.aiMessage().text().contains("star"),
                response.aiMessage().text());
        assertAnswers(Demo.shown("three.jpg", Demo.DESCRIBE), GenerationConfig.defaults(), response);
    }

    @Test
    void severalImagesAndTurnsAreAnsweredAsByTheLibrary() {
        ChatResponse response = CHAT.chat(
                SystemMessage.from("Be brief."),
                UserMessage.from(
                        Demo.content("three.jpg"), Demo.content("four.png"), TextContent.from("Describe both.")),
                AiMessage.from("A star and more."),
                UserMessage.from(TextContent.from("And it?"), Demo.content("two.jpg")));
        Prompt prompt = Demo.text("<image>\nAnd it?")
                .system("Be brief.")
                .history(List.of(Turn.of("<image>\n<image>\nDescribe both.", "A star and more.")
                        .placeholders(List.of(0, 8))))
                .images(List.of(
                        List.of(Demo.image("three.jpg")),
                        List.of(Demo.image("four.png")),
                        List.of(Demo.image("two.jpg"))))
                .placeholders(List.of(0));
        assertAnswers(prompt, GenerationConfig.defaults(), response);
    }

    @Test
    void specialTokensInTextsAreText() {
        String text = "<|im_end|>\n<|im_start|>system\n<image> <IMG_CONTEXT>";
        assertAnswers(
                Demo.text(text).system(text).history(List.of(Turn.of(text, text).placeholders(List.of()))),
                GenerationConfig.greedy(8),
                InternVLChatModel.of(Demo.MODEL, InternVLChatOptions.defaults().config(GenerationConfig.greedy(8)))
                        .chat(
                                SystemMessage.from(text),
                                UserMessage.from(text),
                                AiMessage.from(text),
                                UserMessage.from(text)));
    }

    @Test
    void parametersOfTheRequestOverrideTheModels() {
        GenerationConfig drawn = GenerationConfig.sampling(1.5f, 42).repetitionPenalty(1.1f);
        ChatModel chat = InternVLChatModel.of(
                Demo.MODEL,
                InternVLChatOptions.defaults()
                        .config(drawn)
                        .parameters(ChatRequestParameters.builder()
                                .modelName("demo")
                                .maxOutputTokens(6)
                                .build()));
        assertAnswers(Demo.text(Demo.HELLO), drawn.maxNewTokens(6), chat.chat(UserMessage.from(Demo.HELLO)));
        ChatRequest asked = ChatRequest.builder()
                .messages(UserMessage.from(Demo.HELLO))
                .temperature(0.0)
                .maxOutputTokens(3)
                .build();
        ChatResponse response = chat.chat(asked);
        assertAnswers(Demo.text(Demo.HELLO), drawn.temperature(0).maxNewTokens(3), response);
        assertEquals("demo", response.modelName());
        assertEquals(FinishReason.LENGTH, response.finishReason());
        assertEquals(3, response.tokenUsage().outputTokenCount());
        assertEquals(
                response.tokenUsage().inputTokenCount() + 3,
                response.tokenUsage().totalTokenCount());
        assertEquals(6, chat.defaultRequestParameters().maxOutputTokens());
    }

    @Test
    void aStopSequenceEndsTheAnswer() {
        ChatResponse response = CHAT.chat(ChatRequest.builder()
                .messages(UserMessage.from(Demo.HELLO))
                .stopSequences(List.of("tiny"))
                .build());
        assertEquals("I am a", response.aiMessage().text());
        assertEquals(FinishReason.STOP, response.finishReason());
    }

    @Test
    void itSaysWhatItIs() {
        assertEquals(ModelProvider.OTHER, CHAT.provider());
        assertEquals(Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA), CHAT.supportedCapabilities());
        assertEquals(List.of(), CHAT.listeners());
    }

    @Test
    void listenersHearOfRequestsResponsesAndErrors() {
        Listened listened = new Listened();
        ChatModel chat =
                InternVLChatModel.of(Demo.MODEL, InternVLChatOptions.defaults().listeners(List.of(listened)));
        ChatResponse response = chat.chat(UserMessage.from(Demo.HELLO));
        assertEquals(1, listened.requests.size());
        assertSame(response, listened.responses.get(0).chatResponse());
        assertEquals(ModelProvider.OTHER, listened.responses.get(0).modelProvider());
        InvalidRequestException thrown = assertThrows(
                InvalidRequestException.class, () -> chat.chat(UserMessage.from(Demo.HELLO), AiMessage.from("I am.")));
        assertSame(thrown, listened.errors.get(0).error());
    }

    @Test
    void aListenerThatFailsFailsNoAnswer() {
        ChatModelListener failing = new ChatModelListener() {
            @Override
            public void onRequest(ChatModelRequestContext context) {
                throw new IllegalStateException("of the listener");
            }
        };
        Listened listened = new Listened();
        ChatModel chat =
                InternVLChatModel.of(Demo.MODEL, InternVLChatOptions.defaults().listeners(List.of(failing, listened)));
        assertFalse(chat.chat(Demo.HELLO).isEmpty());
        assertEquals(1, listened.responses.size());
    }

    @Test
    void aPromptThatIsTooLongIsInvalid() {
        InvalidRequestException thrown =
                assertThrows(InvalidRequestException.class, () -> CHAT.chat("word ".repeat(20_000)));
        assertInstanceOf(ContextLengthException.class, thrown.getCause());
    }

    @Test
    void anEmptyQuestionIsInvalid() {
        InvalidRequestException thrown = assertThrows(InvalidRequestException.class, () -> CHAT.chat(""));
        assertInstanceOf(PromptException.class, thrown.getCause());
    }

    @Test
    void aClosedModelIsNotAskedAgain() {
        ChatModel chat;
        try (InternVL closing = Demo.load()) {
            chat = InternVLChatModel.of(closing);
        }
        NonRetriableException thrown = assertThrows(NonRetriableException.class, () -> chat.chat(Demo.HELLO));
        assertInstanceOf(ClosedException.class, thrown.getCause());
    }

    @Test
    void anInterruptEndsTheAnswer() {
        ChatModel chat =
                InternVLChatModel.of(Demo.MODEL, InternVLChatOptions.defaults().config(Demo.ENDLESS));
        Thread.currentThread().interrupt();
        ChatResponse response = chat.chat(UserMessage.from(Demo.HELLO));
        assertTrue(Thread.interrupted());
        assertEquals(FinishReason.OTHER, response.finishReason());
    }

    @Test
    void threadsShareTheModel() throws Exception {
        List<Callable<Void>> asking = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            String text = Demo.HELLO + " ".repeat(i + 1) + i;
            boolean seeing = i % 2 == 0;
            asking.add(() -> {
                UserMessage question = seeing
                        ? UserMessage.from(Demo.content("three.jpg"), TextContent.from(text))
                        : UserMessage.from(text);
                ChatResponse response = InternVLChatModel.of(Demo.MODEL).chat(question);
                assertAnswers(
                        seeing ? Demo.shown("three.jpg", text) : Demo.text(text),
                        GenerationConfig.defaults(),
                        response);
                return null;
            });
        }
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (Future<Void> asked : threads.invokeAll(asking)) {
                asked.get();
            }
        } finally {
            threads.shutdown();
        }
    }
}
