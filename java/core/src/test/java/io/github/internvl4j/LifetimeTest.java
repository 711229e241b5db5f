package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.BusyException;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.InternVLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Ends that come from elsewhere: interrupts, and chats and models that are closed meanwhile. */
class LifetimeTest {
    private static final Oracle ORACLE = Oracle.load("hermes-d128");
    private static final GenerationConfig CONFIG = GenerationConfig.greedy(8);
    /** About 3,000 tokens: six chunks of a prompt. */
    private static final String LONG = "z".repeat(3_000);

    private static InternVL model;

    @BeforeAll
    static void load() {
        model = InternVL.load(ORACLE.directory(), options());
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static LoadOptions options() {
        return LoadOptions.defaults().precision(Precision.F32).threads(1);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(60, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Runs it on a thread of its own. */
    private static final class Asking<T> {
        private final CompletableFuture<T> result = new CompletableFuture<>();
        private final Thread thread;

        Asking(Supplier<T> question) {
            thread = new Thread(() -> {
                try {
                    result.complete(question.get());
                } catch (Throwable e) {
                    result.completeExceptionally(e);
                }
            });
            thread.start();
        }

        T get() throws Exception {
            return result.get(60, TimeUnit.SECONDS);
        }

        @Nullable
        Throwable failure() throws Exception {
            return assertThrows(ExecutionException.class, this::get).getCause();
        }
    }

    private static long passes() {
        return model.model().counts().passes();
    }

    /** Waits until an answer has some pieces of its prompt behind it. */
    private static void awaitPassBehind(long before) {
        while (passes() == before) {
            Thread.onSpinWait();
        }
    }

    @Test
    void anInterruptReachesAPromptThatIsComputed() throws Exception {
        try (Chat chat = model.chat()) {
            boolean[] stillSet = new boolean[1];
            long before = passes();
            Asking<Reply> asking = new Asking<>(() -> {
                Reply reply = chat.ask(Prompt.of(LONG), CONFIG, ReplyListener.none());
                stillSet[0] = Thread.currentThread().isInterrupted();
                return reply;
            });
            awaitPassBehind(before);
            asking.thread.interrupt();
            Reply reply = asking.get();
            assertEquals(FinishReason.CANCELLED, reply.finish());
            assertEquals(List.of(), reply.tokens(), "noticed only when the prompt was through");
            assertTrue(passes() - before < reply.promptTokens().size() / 512, () -> passes() - before + " passes");
            assertTrue(stillSet[0]);
            assertEquals(List.of(), chat.history());
        }
    }

    @Test
    void anInterruptedBatchHasAReplyForEveryPrompt() {
        List<Prompt> prompts = new ArrayList<>();
        IntStream.range(0, 20).forEach(i -> prompts.add(Prompt.of("Hello")));
        Thread.currentThread().interrupt();
        List<Reply> replies = model.batch(prompts, CONFIG);
        assertTrue(Thread.interrupted());
        assertEquals(20, replies.size());
        for (Reply reply : replies) {
            assertEquals(FinishReason.CANCELLED, reply.finish());
            assertEquals(List.of(), reply.tokens());
        }
    }

    /** What a batch told, and in which order it asked. */
    private static class Told implements BatchListener {
        private final Set<Integer> answered = new TreeSet<>();
        private final Set<Integer> cancelled = new TreeSet<>();
        private final Set<Integer> failed = new TreeSet<>();
        private int from = -1;

        @Override
        public void onReply(int index, Reply reply) {
            (reply.finish() == FinishReason.CANCELLED ? cancelled : answered).add(index);
        }

        @Override
        public void onFailure(int index, InternVLException failure) {
            assertInstanceOf(ClosedException.class, failure);
            failed.add(index);
        }

        @Override
        public void onCancelled(int number) {
            from = number;
        }
    }

    /** Ten requests, each of which runs `before` with its number when it is asked for. */
    private static List<Supplier<BatchRequest>> ten(IntConsumer before) {
        List<Supplier<BatchRequest>> requests = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            int number = i;
            requests.add(() -> {
                before.accept(number);
                return BatchRequest.of(Prompt.of("Hello"), CONFIG);
            });
        }
        return requests;
    }

    @Test
    void anInterruptedBatchTellsItsListenerWhereItEnded() {
        Told told = new Told();
        try (InternVL one = InternVL.load(ORACLE.directory(), options().maxBatch(1))) {
            one.batch(
                    ten(number -> {
                                if (number == 3) {
                                    Thread.currentThread().interrupt();
                                }
                            })
                            .iterator(),
                    told,
                    null);
        }
        assertTrue(Thread.interrupted());
        assertEquals(Set.of(0, 1, 2), told.answered);
        assertEquals(Set.of(3), told.cancelled);
        assertEquals(4, told.from);
    }

    @Test
    void aListenerThatClearsTheInterruptDoesNotReviveTheBatch() {
        Told told = new Told() {
            @Override
            public void onReply(int index, Reply reply) {
                super.onReply(index, reply);
                Thread.interrupted();
            }
        };
        model.batch(
                ten(number -> {
                            if (number == 3) {
                                Thread.currentThread().interrupt();
                            }
                        })
                        .iterator(),
                told,
                null);
        assertEquals(Set.of(), told.answered);
        assertEquals(Set.of(0, 1, 2, 3), told.cancelled);
        assertEquals(4, told.from);
    }

    @Test
    void aModelClosedDuringABatchFailsWhatHadBegunAndEndsIt() {
        Told told = new Told();
        InternVL closing = InternVL.load(ORACLE.directory(), options());
        List<Integer> asked = new ArrayList<>();
        List<Supplier<BatchRequest>> requests = ten(number -> {
            asked.add(number);
            if (number == 2) {
                closing.close();
            }
        });
        assertThrows(ClosedException.class, () -> closing.batch(requests.iterator(), told, null));
        assertEquals(List.of(0, 1, 2), asked);
        assertEquals(Set.of(0, 1, 2), told.failed);
        assertEquals(Set.of(), told.answered);
        assertThrows(ClosedException.class, () -> closing.batch(List.of(Prompt.of("Hello")), CONFIG));
    }

    @Test
    void aModelClosedByItsOwnListenerEndsTheAnswer() {
        InternVL closing = InternVL.load(ORACLE.directory(), options());
        Chat chat = closing.chat();
        assertThrows(ClosedException.class, () -> chat.ask("Hello", chunk -> closing.close()));
        assertThrows(ClosedException.class, () -> chat.ask("Hello"));
        assertThrows(ClosedException.class, chat::undo);
    }

    @Test
    void aChatClosedWhileItAnswersSaysSo() throws Exception {
        Chat chat = model.chat();
        CountDownLatch answering = new CountDownLatch(1);
        CountDownLatch closed = new CountDownLatch(1);
        Asking<Reply> asking = new Asking<>(() -> chat.ask("Hello", chunk -> {
            answering.countDown();
            await(closed);
        }));
        await(answering);
        chat.close();
        closed.countDown();
        assertInstanceOf(ClosedException.class, asking.failure());
        assertThrows(ClosedException.class, chat::undo);
    }

    @Test
    void aChatClosedWhileItsPromptIsComputedSaysSo() throws Exception {
        Chat chat = model.chat();
        long before = passes();
        Asking<Reply> asking = new Asking<>(() -> chat.ask(LONG));
        awaitPassBehind(before);
        chat.close();
        assertInstanceOf(ClosedException.class, asking.failure());
        assertThrows(ClosedException.class, chat::undo);
    }

    @Test
    void aChatClosedByItsOwnListenerSaysSo() {
        Chat chat = model.chat();
        assertThrows(ClosedException.class, () -> chat.ask("Hello", chunk -> chat.close()));
        assertThrows(ClosedException.class, () -> chat.ask("Hello"));
    }

    @Test
    void aListenersOwnCancellationExceptionReachesTheCaller() {
        ReplyListener listener = chunk -> {
            throw new CancellationException("of a future of the listener's");
        };
        assertThrows(CancellationException.class, () -> model.generate(Prompt.of("Hello"), CONFIG, listener, null));
        try (Chat chat = model.chat()) {
            assertThrows(CancellationException.class, () -> chat.ask("Hello", listener));
        }
    }

    @Test
    void anAnswersListenerMayLookAtTheChatButNotResetIt() {
        try (Chat chat = model.chat()) {
            chat.ask(Prompt.of("Hello"), CONFIG, ReplyListener.none());
            List<Integer> turns = new ArrayList<>();
            chat.ask(
                    Prompt.of("Hello"),
                    CONFIG,
                    chunk -> turns.add(chat.history().size()));
            assertEquals(Set.of(1), Set.copyOf(turns));
            assertThrows(BusyException.class, () -> chat.ask("Hello", chunk -> chat.reset()));
            assertEquals(2, chat.history().size());
            chat.reset();
            assertEquals(List.of(), chat.history());
        }
    }

    @Test
    void aClosedChatStillHasItsHistory() {
        Chat chat = model.chat();
        chat.ask(Prompt.of("Hello"), CONFIG, ReplyListener.none());
        chat.close();
        assertEquals(1, chat.history().size());
        chat.cancel();
        assertThrows(ClosedException.class, chat::reset);
        assertThrows(ClosedException.class, chat::undo);
    }

    /** Whoever comes when: nothing but the asker ever hears of the closing, and nothing else than that. */
    @Test
    void cancellingResettingAndClosingMayRace() throws Exception {
        for (int turn = 0; turn < 30; turn++) {
            Chat chat = model.chat();
            CountDownLatch begin = new CountDownLatch(1);
            Asking<Boolean> asking = new Asking<>(() -> {
                begin.countDown();
                try {
                    while (true) {
                        chat.ask(Prompt.of("Hello"), GenerationConfig.greedy(2), ReplyListener.none());
                        chat.reset();
                    }
                } catch (ClosedException expected) {
                    return true;
                }
            });
            await(begin);
            Asking<Boolean> cancelling = new Asking<>(() -> {
                for (int i = 0; i < 5_000; i++) {
                    chat.cancel();
                }
                return true;
            });
            Asking<Boolean> reading = new Asking<>(() -> {
                for (int i = 0; i < 100; i++) {
                    chat.history();
                }
                return true;
            });
            Asking<Boolean> closing = new Asking<>(() -> {
                chat.close();
                return true;
            });
            chat.close();
            assertTrue(asking.get() && cancelling.get() && reading.get() && closing.get());
            assertThrows(ClosedException.class, chat::undo);
        }
    }
}
