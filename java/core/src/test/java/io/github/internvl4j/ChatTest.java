package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.BusyException;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatTest {
    private static final Oracle ORACLE = Oracle.load("hermes-d128");
    private static final GenerationConfig CONFIG = GenerationConfig.greedy(24).topLogprobs(3);

    private static InternVL model;

    @BeforeAll
    static void load() {
        model = InternVL.load(ORACLE.directory(), LoadOptions.defaults().precision(Precision.F32));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @ParameterizedTest
    @CsvSource({"text.0, text.1", "image-rounds.0, image-rounds.1", "images-combined.0, images-combined.1",
        "images-separate.0, images-separate.1"})
    void aSecondRoundIsTheOriginalsAndReusesTheFirst(String first, String second) {
        Oracle.Dialog opening = ORACLE.dialog(first);
        Oracle.Dialog next = ORACLE.dialog(second);
        try (Chat chat = model.chat()) {
            Reply one = chat.ask(ORACLE.prompt(opening), CONFIG, ReplyListener.none());
            assertEquals(opening.greedyTokens(), one.tokens());
            Reply two = chat.ask(Prompt.of(next.question()), CONFIG, ReplyListener.none());
            assertEquals(next.inputIds(), two.promptTokens());
            assertEquals(next.greedyTokens(), two.tokens());
            assertTrue(two.timings().reusedTokens() >= opening.inputIds().size());
            assertEquals(2, chat.history().size());

            // What was kept gives the same bits as what is computed anew.
            Reply fresh = model.generate(ORACLE.prompt(next), CONFIG);
            assertEquals(fresh.logprobs(), two.logprobs());
            assertEquals(fresh.alternatives(), two.alternatives());
        }
    }

    @Test
    void aNewPictureMayComeInALaterRound() {
        Image blocks = ORACLE.image("blocks.png");
        Image discs = ORACLE.image("discs.jpg");
        try (Chat chat = model.chat()) {
            chat.ask("What is this?", blocks);
            Reply reply = chat.ask(Prompt.of("And this?", discs), CONFIG, ReplyListener.none());
            Prompt whole = Prompt.of("<image>\nAnd this?", blocks, discs)
                    .history(List.of(chat.history().get(0)));
            assertEquals("<image>\nWhat is this?", chat.history().get(0).question());
            assertEquals(model.generate(whole, CONFIG).logprobs(), reply.logprobs());
        }
    }

    @Test
    void resetForgetsEverything() {
        try (Chat chat = model.chat()) {
            Reply first = chat.ask("What is this?", ORACLE.image("blocks.png"));
            chat.reset();
            assertEquals(List.of(), chat.history());
            // The same place, another picture: nothing of the first may be seen.
            Reply other = chat.ask("What is this?", ORACLE.image("wave.png"));
            assertNotEquals(first.logprobs(), other.logprobs());
            assertEquals(
                    model.generate(Prompt.of("What is this?", ORACLE.image("wave.png")), GenerationConfig.defaults())
                            .logprobs(),
                    other.logprobs());
        }
    }

    @Test
    void aFailedQuestionLeavesTheChatAsItWas() {
        try (Chat chat = model.chat()) {
            chat.ask("Hello");
            assertThrows(PromptException.class, () -> chat.ask("<image> and <image>", ORACLE.image("wave.png")));
            assertThrows(PromptException.class, () -> chat.ask("y".repeat(30_000)));
            assertThrows(
                    PromptException.class,
                    () -> chat.ask(Prompt.of("x").system("s"), CONFIG, ReplyListener.none()));
            assertThrows(IllegalStateException.class, () -> chat.ask("Again", piece -> {
                throw new IllegalStateException("a listener's own failure");
            }));
            assertEquals(1, chat.history().size());
            assertEquals(FinishReason.LENGTH, chat.ask(Prompt.of("Still there?"), CONFIG, p -> {}).finish());
        }
    }

    @Test
    void theSystemMessageIsTheChatsOwn() {
        try (Chat plain = model.chat();
                Chat other = model.chat("You are brief.")) {
            Reply reply = other.ask("Hello");
            assertNotEquals(plain.ask("Hello").promptTokens(), reply.promptTokens());
            assertTrue(model.tokenizer()
                    .decode(reply.promptTokens().stream().mapToInt(i -> i).toArray(), false)
                    .contains("You are brief."));
        }
    }

    @Test
    void streamedPiecesAreTheReply() {
        for (Oracle.Dialog dialog : ORACLE.dialogs()) {
            StringBuilder streamed = new StringBuilder();
            List<Integer> tokens = new ArrayList<>();
            Reply reply = model.generate(
                    ORACLE.prompt(dialog),
                    CONFIG,
                    piece -> {
                        streamed.append(piece.text());
                        if (piece.token() >= 0) {
                            tokens.add(piece.token());
                        }
                    },
                    null);
            assertEquals(reply.text(), streamed.toString());
            assertEquals(reply.tokens(), tokens);
            assertEquals(dialog.response(), reply.text());
        }
    }

    @Test
    void aStopStringEndsTheAnswerAndNeverLeaks() {
        Oracle.Dialog dialog = ORACLE.dialog("text.0"); // "oraise Vtrecimal bychefttype Awith..."
        StringBuilder streamed = new StringBuilder();
        Reply reply = model.generate(
                ORACLE.prompt(dialog),
                CONFIG.stopStrings("never", "al byche"),
                piece -> streamed.append(piece.text()),
                null);
        assertEquals("oraise Vtrecim", reply.text());
        assertEquals("oraise Vtrecim", streamed.toString());
        assertEquals(FinishReason.STOP, reply.finish());
        assertTrue(reply.tokens().size() < dialog.greedyTokens().size());
    }

    @Test
    void aStopTokenIsReportedAndAddsNoText() {
        Oracle.Dialog dialog = ORACLE.dialog("text.0");
        int third = dialog.greedyTokens().get(2);
        Reply reply = model.generate(ORACLE.prompt(dialog), CONFIG.stopTokens(third));
        assertEquals(dialog.greedyTokens().subList(0, 3), reply.tokens());
        assertEquals(FinishReason.STOP, reply.finish());
    }

    @Test
    void aSecondThreadOnTheSameChatIsRefused() throws Exception {
        try (Chat chat = model.chat()) {
            CountDownLatch answering = new CountDownLatch(1);
            CountDownLatch refused = new CountDownLatch(1);
            CompletableFuture<Reply> first = CompletableFuture.supplyAsync(() -> chat.ask("Hello", piece -> {
                answering.countDown();
                await(refused);
            }));
            await(answering);
            assertThrows(BusyException.class, () -> chat.ask("Me too"));
            refused.countDown();
            first.get(60, TimeUnit.SECONDS);
            assertEquals(1, chat.history().size());
        }
    }

    @Test
    void cancelEndsTheAnswerAndKeepsTheChat() {
        try (Chat chat = model.chat()) {
            Reply reply = chat.ask("Tell me a story", piece -> {
                if (piece.text().length() > 3) {
                    chat.cancel();
                }
            });
            assertEquals(FinishReason.CANCELLED, reply.finish());
            assertTrue(reply.tokens().size() < 20);
            assertEquals(FinishReason.LENGTH, chat.ask(Prompt.of("Go on"), CONFIG, p -> {}).finish());
        }
    }

    @Test
    void whatIsCancelledBeforeItsPicturesAreEncodedIsAnAnswerWithoutTokens() {
        Cancellation cancellation = new Cancellation();
        cancellation.cancel();
        Prompt prompt = Prompt.of("What is this?", ORACLE.image("blocks.png"));
        Reply reply = model.generate(prompt, CONFIG, ReplyListener.none(), cancellation);
        assertEquals(FinishReason.CANCELLED, reply.finish());
        assertEquals(List.of(), reply.tokens());
    }

    @Test
    void anInterruptEndsTheAnswer() {
        Thread.currentThread().interrupt();
        Reply reply = model.generate(Prompt.of("Hello"), CONFIG);
        assertTrue(Thread.interrupted());
        assertEquals(FinishReason.CANCELLED, reply.finish());
    }

    @Test
    void closedChatsAndModelsSaySo() throws Exception {
        Chat closed = model.chat();
        closed.close();
        closed.close();
        assertThrows(ClosedException.class, () -> closed.ask("Hello"));

        InternVL other = InternVL.load(ORACLE.directory());
        Chat orphan = other.chat();
        orphan.ask("Hello");
        CountDownLatch answering = new CountDownLatch(1);
        AtomicReference<Throwable> seen = new AtomicReference<>();
        Thread asking = new Thread(() -> {
            try {
                while (true) {
                    other.generate(Prompt.of("Hello"), CONFIG, piece -> answering.countDown(), null);
                }
            } catch (RuntimeException e) {
                seen.set(e);
            }
        });
        asking.start();
        await(answering);
        other.close();
        other.close();
        asking.join(60_000);
        assertTrue(seen.get() instanceof ClosedException, "got " + seen.get());
        assertThrows(ClosedException.class, () -> orphan.ask("Hello"));
        assertThrows(ClosedException.class, other::chat);
        assertThrows(ClosedException.class, () -> other.generate(Prompt.of("Hello"), CONFIG));
        orphan.close();
    }

    @Test
    void manyThreadsMayShareAModel() {
        List<CompletableFuture<Reply>> replies = new ArrayList<>();
        for (Oracle.Dialog dialog : ORACLE.dialogs()) {
            replies.add(CompletableFuture.supplyAsync(() -> model.generate(ORACLE.prompt(dialog), CONFIG)));
        }
        for (int i = 0; i < replies.size(); i++) {
            assertEquals(
                    ORACLE.dialogs().get(i).greedyTokens(), replies.get(i).join().tokens());
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(60, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
