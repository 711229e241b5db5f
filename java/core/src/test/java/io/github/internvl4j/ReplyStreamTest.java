package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.BusyException;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.PromptException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Answers in loops and in futures. */
@Timeout(120)
class ReplyStreamTest {
    private static final Oracle ORACLE = Oracle.load("hermes-d128");
    private static final GenerationConfig CONFIG = GenerationConfig.greedy(12);
    /** An answer that nobody waits for: it ends where the context does, thousands of tokens later. */
    private static final GenerationConfig ENDLESS = GenerationConfig.greedy(1_000_000);

    private static InternVL model;

    @BeforeAll
    static void load() {
        model = InternVL.load(
                ORACLE.directory(),
                LoadOptions.defaults().precision(Precision.F32).threads(1));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static List<Chunk> all(ReplyStream stream) {
        List<Chunk> chunks = new ArrayList<>();
        stream.forEach(chunks::add);
        return chunks;
    }

    private static String text(List<Chunk> chunks) {
        return String.join("", chunks.stream().map(Chunk::text).toList());
    }

    @Test
    void aLoopHasTheSameAnswer() {
        Prompt prompt = Prompt.of("What is this?", ORACLE.image("blocks.png"));
        Reply expected = model.generate(prompt, CONFIG);
        try (ReplyStream stream = model.stream(prompt, CONFIG)) {
            List<Chunk> chunks = all(stream);
            assertEquals(expected.text(), text(chunks).strip());
            assertEquals(expected.logprobs(), stream.reply().logprobs());
        }
        try (Chat chat = model.chat();
                ReplyStream stream = chat.stream(prompt, CONFIG)) {
            assertEquals(expected.logprobs(), stream.reply().logprobs(), "the whole may be asked for first");
            assertEquals(expected.text(), text(all(stream)).strip());
            assertEquals(1, chat.history().size());
        }
    }

    @Test
    void closingEarlyEndsTheAnswer() {
        try (Chat chat = model.chat()) {
            ReplyStream stream = chat.stream(Prompt.of("Hello"), ENDLESS);
            Iterator<Chunk> chunks = stream.iterator();
            assertTrue(chunks.next().token() >= 0);
            stream.close();
            stream.close();
            assertFalse(chunks.hasNext());
            assertThrows(NoSuchElementException.class, chunks::next);
            Reply reply = stream.reply();
            assertEquals(FinishReason.CANCELLED, reply.finish());
            assertFalse(reply.tokens().isEmpty());
            assertEquals(12, chat.ask("Hello", CONFIG).tokens().size(), "the chat is free");
        }
    }

    @Test
    void aQuestionHasBegunWhenItIsAsked() {
        try (Chat chat = model.chat();
                ReplyStream stream = chat.stream(Prompt.of("Hello"), ENDLESS)) {
            assertThrows(BusyException.class, () -> chat.ask("Me too"));
            try (ReplyStream second = chat.stream("Me too")) {
                assertThrows(BusyException.class, () -> second.iterator().hasNext());
                assertThrows(BusyException.class, second::reply);
            }
            chat.cancel();
            assertEquals(FinishReason.CANCELLED, stream.reply().finish());
        }
    }

    @Test
    void twoStreamsGoOnTogether() {
        Prompt first = Prompt.of("Hello");
        Prompt second = Prompt.of("Tell me a story");
        try (ReplyStream one = model.stream(first, CONFIG);
                ReplyStream two = model.stream(second, CONFIG)) {
            Iterator<Chunk> left = one.iterator();
            Iterator<Chunk> right = two.iterator();
            while (left.hasNext() && right.hasNext()) {
                left.next();
                right.next();
            }
            assertEquals(model.generate(first, CONFIG).tokens(), one.reply().tokens());
            assertEquals(model.generate(second, CONFIG).tokens(), two.reply().tokens());
        }
    }

    @Test
    void chunksAreThereOnce() {
        try (ReplyStream stream = model.stream(Prompt.of("Hello"), CONFIG)) {
            all(stream);
            String message = String.valueOf(
                    assertThrows(IllegalStateException.class, stream::iterator).getMessage());
            assertTrue(message.contains("once") && message.contains("reply()"), message);
        }
    }

    @Test
    void whatGoesWrongIsThrownByTheLoop() {
        Prompt tooLong = Prompt.of("y".repeat(30_000));
        try (ReplyStream stream = model.stream(tooLong, CONFIG)) {
            Iterator<Chunk> chunks = stream.iterator();
            assertThrows(PromptException.class, chunks::hasNext);
            assertThrows(PromptException.class, chunks::next);
            assertThrows(PromptException.class, stream::reply);
        }
        CompletableFuture<Reply> future = model.generateAsync(tooLong, CONFIG);
        assertInstanceOf(
                PromptException.class,
                assertThrows(ExecutionException.class, future::get).getCause());
        try (Chat chat = model.chat()) {
            assertThrows(PromptException.class, () -> chat.stream(Prompt.of("q").system("s"), CONFIG), "at once");
            assertThrows(
                    PromptException.class, () -> chat.askAsync(Prompt.of("q").system("s"), CONFIG), "at once");
        }
    }

    @Test
    void aChatThatIsClosedEndsItsStream() {
        Chat chat = model.chat();
        try (ReplyStream stream = chat.stream(Prompt.of("Hello"), ENDLESS)) {
            Iterator<Chunk> chunks = stream.iterator();
            chunks.next();
            chat.close();
            assertThrows(ClosedException.class, () -> chunks.forEachRemaining(chunk -> {}));
        }
    }

    @Test
    void anInterruptEndsTheAnswer() {
        try (ReplyStream stream = model.stream(Prompt.of("Hello"), ENDLESS)) {
            Thread.currentThread().interrupt();
            all(stream);
            assertTrue(Thread.interrupted());
            assertEquals(FinishReason.CANCELLED, stream.reply().finish());
        } finally {
            boolean ignored = Thread.interrupted();
        }
    }

    @Test
    void aFutureHasTheReply() throws Exception {
        Prompt prompt = Prompt.of("Hello");
        Reply expected = model.generate(prompt, CONFIG);
        assertEquals(
                expected.logprobs(),
                model.generateAsync(prompt, CONFIG).get(60, TimeUnit.SECONDS).logprobs());
        try (Chat chat = model.chat(ChatOptions.defaults().config(CONFIG))) {
            assertEquals(
                    expected.logprobs(),
                    chat.askAsync("Hello").get(60, TimeUnit.SECONDS).logprobs());
        }
    }

    @Test
    void cancellingAFutureEndsTheAnswer() throws Exception {
        try (Chat chat = model.chat()) {
            long before = model.model().counts().passes();
            CompletableFuture<Reply> future = chat.askAsync(Prompt.of("Hello"), ENDLESS);
            while (model.model().counts().passes() == before) {
                Thread.onSpinWait();
            }
            assertTrue(future.cancel(false));
            assertThrows(CancellationException.class, future::get);
            assertTrue(chat.history().size() <= 1, "which waits until the answer has ended");
            assertEquals(12, chat.ask("Hello", CONFIG).tokens().size());
        }
    }

    @Test
    void aForgottenStreamIsEndedAndLogged() throws Exception {
        List<String> said = new ArrayList<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord record) {
                synchronized (said) {
                    said.add(record.getMessage());
                }
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger leaks = Logger.getLogger("io.github.internvl4j.leaks");
        leaks.setLevel(Level.ALL);
        leaks.addHandler(handler);
        try (Chat chat = model.chat()) {
            readOneAndForget(chat);
            List<String> expected = List.of("the stream of an answer was not closed");
            for (int i = 0; i < 500 && !heard(said).equals(expected); i++) {
                System.gc();
                Thread.sleep(20);
            }
            assertEquals(expected, heard(said));
            assertEquals(12, askWhenFree(chat).tokens().size());
        } finally {
            leaks.removeHandler(handler);
            leaks.setLevel(null);
        }
    }

    private static List<String> heard(List<String> said) {
        synchronized (said) {
            return said.stream().filter(message -> message.contains("stream")).toList();
        }
    }

    /** In a method of its own, so that no local variable holds the stream. */
    private static void readOneAndForget(Chat chat) {
        assertTrue(chat.stream(Prompt.of("Hello"), ENDLESS).iterator().next().token() >= 0);
    }

    private static Reply askWhenFree(Chat chat) {
        chat.history(); // waits until the answer has ended
        return chat.ask("Hello", CONFIG);
    }
}
