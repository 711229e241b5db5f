package io.github.internvl4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.NonRetriableException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.ModelProvider;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.output.FinishReason;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.Reply;
import io.github.internvl4j.RequestListener;
import io.github.internvl4j.RequestReport;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.text.Turn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class InternVLStreamingChatModelTest {
    private static final StreamingChatModel CHAT = InternVLStreamingChatModel.of(Demo.MODEL);

    private static InternVLChatOptions options() {
        return InternVLChatOptions.defaults();
    }

    private static void assertAnswers(Prompt prompt, Streamed streamed) throws Exception {
        Reply reply = Demo.MODEL.generate(prompt, GenerationConfig.defaults());
        ChatResponse response = streamed.response();
        assertEquals(reply.text(), response.aiMessage().text());
        assertEquals(reply.text(), streamed.text());
        assertEquals(reply.promptTokens().size(), response.tokenUsage().inputTokenCount());
        assertEquals(reply.tokens().size(), response.tokenUsage().outputTokenCount());
        assertEquals(FinishReason.STOP, response.finishReason());
        assertEquals(List.of(), streamed.errors);
        assertFalse(streamed.parts.contains(""));
    }

    @Test
    void aTextIsAnsweredAsByTheLibraryOnAnotherThread() throws Exception {
        Streamed streamed = new Streamed();
        CHAT.chat(Demo.HELLO, streamed);
        assertAnswers(Demo.text(Demo.HELLO), streamed);
        assertTrue(streamed.parts.size() > 3, streamed.parts.toString());
        assertEquals(1, Set.copyOf(streamed.threads).size());
        assertNotSame(Thread.currentThread(), streamed.threads.get(0));
    }

    @Test
    void imagesAndTurnsAreAnsweredAsByTheLibrary() throws Exception {
        Streamed streamed = new Streamed();
        CHAT.chat(
                List.of(
                        SystemMessage.from("Be brief."),
                        UserMessage.from(Demo.HELLO),
                        AiMessage.from("I am."),
                        UserMessage.from(Demo.content("three.jpg"), TextContent.from(Demo.DESCRIBE))),
                streamed);
        assertAnswers(
                Demo.shown("three.jpg", Demo.DESCRIBE)
                        .system("Be brief.")
                        .history(List.of(Turn.of(Demo.HELLO, "I am.").placeholders(List.of()))),
                streamed);
    }

    @Test
    void whoAsksDoesNotWait() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        Streamed streamed = new Streamed() {
            @Override
            public void onPartialResponse(String part) {
                super.onPartialResponse(part);
                await(asked);
            }
        };
        CHAT.chat(Demo.HELLO, streamed);
        assertFalse(streamed.isCompleted());
        asked.countDown();
        assertAnswers(Demo.text(Demo.HELLO), streamed);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(60, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void cancellingEndsTheRequestInTheRuntime() throws Exception {
        BlockingQueue<RequestReport> reports = new LinkedBlockingQueue<>();
        RequestListener listener = reports::add;
        Listened listened = new Listened();
        StreamingChatModel chat = InternVLStreamingChatModel.of(
                Demo.MODEL, options().config(Demo.ENDLESS).listeners(List.of(listened)));
        Streamed streamed = new Streamed() {
            @Override
            public void onPartialResponse(PartialResponse part, PartialResponseContext context) {
                super.onPartialResponse(part.text());
                if (parts.size() == 3) {
                    assertFalse(context.streamingHandle().isCancelled());
                    context.streamingHandle().cancel();
                    assertTrue(context.streamingHandle().isCancelled());
                    throw new IllegalStateException("nobody hears of it");
                }
            }
        };
        Demo.MODEL.addRequestListener(listener);
        try {
            chat.chat(Demo.HELLO, streamed);
            RequestReport report = reports.poll(60, TimeUnit.SECONDS);
            assertEquals(io.github.internvl4j.FinishReason.CANCELLED, report.finish());
            assertTrue(report.newTokens() < 100, report.toString());
        } finally {
            Demo.MODEL.removeRequestListener(listener);
        }
        assertTrue(Demo.soon(Demo::idle));
        assertTrue(Demo.soon(() -> !streamed.threads.get(0).isAlive()));
        assertEquals(3, streamed.parts.size());
        assertFalse(streamed.isCompleted());
        assertEquals(List.of(), streamed.errors);
        assertEquals(0, listened.responses.size() + listened.errors.size());
    }

    @Test
    void anotherThreadMayCancel() throws Exception {
        CompletableFuture<PartialResponseContext> begun = new CompletableFuture<>();
        Streamed streamed = new Streamed() {
            @Override
            public void onPartialResponse(PartialResponse part, PartialResponseContext context) {
                super.onPartialResponse(part.text());
                begun.complete(context);
            }
        };
        InternVLStreamingChatModel.of(Demo.MODEL, options().config(Demo.ENDLESS))
                .chat(Demo.HELLO, streamed);
        begun.get(60, TimeUnit.SECONDS).streamingHandle().cancel();
        assertTrue(Demo.soon(() -> !streamed.threads.get(0).isAlive()));
        assertTrue(Demo.soon(Demo::idle));
        assertFalse(streamed.isCompleted());
    }

    @Test
    void whatTheHandlerThrowsIsItsOwnToHearOf() throws Exception {
        IllegalStateException thrown = new IllegalStateException("of the handler");
        Streamed streamed = new Streamed() {
            @Override
            public void onPartialResponse(String part) {
                super.onPartialResponse(part);
                if (parts.size() <= 2) {
                    throw thrown;
                }
            }

            @Override
            public void onCompleteResponse(ChatResponse whole) {
                super.onCompleteResponse(whole);
                throw thrown;
            }

            @Override
            public void onError(Throwable error) {
                super.onError(error);
                throw new IllegalStateException("of onError");
            }
        };
        try (Logged logged = new Logged()) {
            CHAT.chat(Demo.HELLO, streamed);
            assertEquals(streamed.response().aiMessage().text(), streamed.text());
            assertTrue(Demo.soon(() -> logged.thrown.size() == 3));
            assertEquals(List.of(thrown, thrown, thrown), streamed.errors);
            assertEquals("of onError", logged.thrown.get(0).getMessage());
            assertSame(thrown, logged.thrown.get(0).getSuppressed()[0]);
        }
    }

    @Test
    void aHandlerMayThrowWhatItDoesNotDeclare() throws Exception {
        IOException thrown = new IOException("of the handler, as Kotlin throws it");
        Streamed streamed = new Streamed() {
            @Override
            public void onPartialResponse(String part) {
                super.onPartialResponse(part);
                if (parts.size() == 1) {
                    InternVLStreamingChatModelTest.<RuntimeException>sneak(thrown);
                }
            }
        };
        CHAT.chat(Demo.HELLO, streamed);
        assertEquals(streamed.response().aiMessage().text(), streamed.text());
        assertEquals(List.of(thrown), streamed.errors);
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void sneak(Throwable thrown) throws T {
        throw (T) thrown;
    }

    @Test
    void anErrorOfTheHandlerEndsTheAnswer() throws Exception {
        AssertionError thrown = new AssertionError("of the handler");
        Streamed streamed = new Streamed() {
            @Override
            public void onPartialResponse(String part) {
                super.onPartialResponse(part);
                throw thrown;
            }
        };
        InternVLStreamingChatModel.of(Demo.MODEL, options().config(Demo.ENDLESS))
                .chat(Demo.HELLO, streamed);
        assertSame(thrown, streamed.failure());
        assertTrue(Demo.soon(Demo::idle));
        assertEquals(1, streamed.parts.size());
        assertFalse(streamed.isCompleted());
    }

    @Test
    void anExecutorsThreadSurvivesEveryAnswer() throws Exception {
        ExecutorService one = Executors.newSingleThreadExecutor();
        try (Logged logged = new Logged()) {
            StreamingChatModel chat =
                    InternVLStreamingChatModel.of(Demo.MODEL, options().executor(one));
            Streamed failing = new Streamed() {
                @Override
                public void onPartialResponse(String part) {
                    super.onPartialResponse(part);
                    throw new AssertionError("of the handler");
                }

                @Override
                public void onError(Throwable error) {
                    super.onError(error);
                    throw new AssertionError("of onError");
                }
            };
            chat.chat(Demo.HELLO, failing);
            Streamed streamed = new Streamed();
            chat.chat(Demo.HELLO, streamed);
            assertAnswers(Demo.text(Demo.HELLO), streamed);
            assertSame(failing.threads.get(0), streamed.threads.get(0));
            assertEquals(1, logged.thrown.size());
        } finally {
            one.shutdown();
        }
        Streamed late = new Streamed();
        InternVLStreamingChatModel.of(Demo.MODEL, options().executor(one)).chat(Demo.HELLO, late);
        assertInstanceOf(RateLimitException.class, late.failure());
    }

    @Test
    void whatIsWrongWithARequestIsToldToTheHandlerAndTheListeners() throws Exception {
        Listened listened = new Listened();
        StreamingChatModel chat =
                InternVLStreamingChatModel.of(Demo.MODEL, options().listeners(List.of(listened)));
        Streamed broken = new Streamed();
        chat.chat(List.of(UserMessage.from(ImageContent.from("AAAA", "image/png"))), broken);
        assertInstanceOf(InvalidRequestException.class, broken.failure());
        assertInstanceOf(ImageException.class, broken.failure().getCause());
        assertSame(broken.failure(), listened.errors.get(0).error());
        Streamed invalid = new Streamed();
        chat.chat(
                ChatRequest.builder()
                        .messages(UserMessage.from(Demo.HELLO))
                        .topP(2.0)
                        .build(),
                invalid);
        assertInstanceOf(InvalidRequestException.class, invalid.failure());
        assertInstanceOf(InvalidOptionException.class, invalid.failure().getCause());
        Streamed tooLong = new Streamed();
        chat.chat("word ".repeat(20_000), tooLong);
        assertInstanceOf(InvalidRequestException.class, tooLong.failure());
        assertEquals(3, listened.errors.size());
        assertEquals(3, listened.requests.size());
    }

    @Test
    void whatIsNotSupportedIsThrownAtOnce() {
        Streamed streamed = new Streamed();
        UserMessage elsewhere = UserMessage.from(ImageContent.from("https://example.com/a.png"));
        assertThrows(UnsupportedFeatureException.class, () -> CHAT.chat(List.of(elsewhere), streamed));
        assertEquals(List.of(), streamed.threads);
    }

    @Test
    void closingTheModelEndsTheAnswer() throws Exception {
        Streamed streamed = new Streamed();
        try (InternVL closing = Demo.load()) {
            InternVLStreamingChatModel.of(closing, options().config(Demo.ENDLESS))
                    .chat(Demo.HELLO, streamed);
            assertTrue(Demo.soon(() -> !streamed.parts.isEmpty()));
        }
        assertInstanceOf(NonRetriableException.class, streamed.failure());
        assertInstanceOf(ClosedException.class, streamed.failure().getCause());
    }

    @Test
    void listenersHearOfTheResponse() throws Exception {
        Listened listened = new Listened();
        Streamed streamed = new Streamed();
        InternVLStreamingChatModel.of(Demo.MODEL, options().listeners(List.of(listened)))
                .chat(Demo.HELLO, streamed);
        assertSame(streamed.response(), listened.responses.get(0).chatResponse());
        assertEquals(ModelProvider.OTHER, listened.requests.get(0).modelProvider());
        assertEquals(Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA), CHAT.supportedCapabilities());
    }

    @Test
    void manyAreAnsweredTogether() throws Exception {
        List<Streamed> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            all.add(new Streamed());
            CHAT.chat(Demo.HELLO + " " + i, all.get(i));
        }
        for (int i = 0; i < 8; i++) {
            assertAnswers(Demo.text(Demo.HELLO + " " + i), all.get(i));
        }
    }
}
