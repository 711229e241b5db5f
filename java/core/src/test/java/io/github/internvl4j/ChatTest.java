package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.BusyException;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.Turn;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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
    @CsvSource({
        "text.0, text.1",
        "image-rounds.0, image-rounds.1",
        "images-combined.0, images-combined.1",
        "images-separate.0, images-separate.1"
    })
    void aSecondTurnIsTheOriginalsAndReusesTheFirst(String first, String second) {
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
    void aNewImageMayComeInALaterTurn() {
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
            // At the same place, another image: nothing of the first may be seen.
            Reply other = chat.ask("What is this?", ORACLE.image("discs.jpg"));
            assertNotEquals(first.logprobs(), other.logprobs());
            assertEquals(
                    model.generate(Prompt.of("What is this?", ORACLE.image("discs.jpg")), GenerationConfig.defaults())
                            .logprobs(),
                    other.logprobs());
        }
    }

    @Test
    void undoTakesTheLastTurnBack() {
        Image discs = ORACLE.image("discs.jpg");
        try (Chat chat = model.chat()) {
            assertEquals(Optional.empty(), chat.undo());
            chat.ask("What is this?", ORACLE.image("blocks.png"));
            List<Turn> before = chat.history();
            Reply first = chat.ask(Prompt.of("And this?", discs), CONFIG, ReplyListener.none());
            Turn taken = chat.undo().orElseThrow();
            assertEquals("<image>\nAnd this?", taken.question());
            assertEquals(before, chat.history());
            chat.ask("Something else?");
            chat.undo();
            Reply again = chat.ask(Prompt.of("And this?", discs), CONFIG, ReplyListener.none());
            assertEquals(first.promptTokens(), again.promptTokens());
            assertEquals(first.logprobs(), again.logprobs());
        }
    }

    @Test
    void anAnswerInProgressIsNotTakenBackByItsListener() {
        try (Chat chat = model.chat()) {
            chat.ask("Hello");
            assertThrows(BusyException.class, () -> chat.ask("Hello", chunk -> chat.undo()));
            assertEquals(1, chat.history().size());
        }
    }

    @Test
    void aChatAtItsContextsEndTellsTheWayBack() {
        LoadOptions options = LoadOptions.defaults().precision(Precision.F32).contextLength(400);
        try (InternVL small = InternVL.load(ORACLE.directory(), options);
                Chat chat = small.chat()) {
            assertThrows(ContextLengthException.class, () -> chat.ask("z".repeat(500)));
            Reply last = chat.ask("Hello", ORACLE.image("blocks.png"));
            while (chat.history().size() < 99 && last.finish() != FinishReason.LENGTH) {
                last = chat.ask("Hello");
            }
            int turns = chat.history().size();
            String message = String.valueOf(assertThrows(ContextLengthException.class, () -> chat.ask("Hello"))
                    .getMessage());
            assertTrue(message.contains("400") && message.contains("undo()") && message.contains("reset()"), message);
            assertEquals(turns, chat.history().size());
            assertTrue(chat.undo().isPresent());
            assertEquals(
                    2,
                    chat.ask(Prompt.of("Hello"), GenerationConfig.greedy(2), chunk -> {})
                            .tokens()
                            .size());
            chat.reset();
            assertEquals(
                    2,
                    chat.ask(Prompt.of("Hello"), GenerationConfig.greedy(2), chunk -> {})
                            .tokens()
                            .size());
        }
    }

    @Test
    void imagesThatWereSeenAreNotKept() throws InterruptedException {
        try (Chat chat = model.chat()) {
            WeakReference<Image> seen = askAndForget(chat);
            for (int i = 0; i < 100 && seen.get() != null; i++) {
                System.gc();
                Thread.sleep(20);
            }
            assertNull(seen.get(), "the chat keeps the decoded image");
            // What it made of it is kept.
            Reply second = chat.ask(Prompt.of("And now?"), CONFIG, ReplyListener.none());
            Prompt whole = Prompt.of("And now?", ORACLE.image("blocks.png"))
                    .history(chat.history().subList(0, 1));
            assertEquals(model.generate(whole, CONFIG).logprobs(), second.logprobs());
        }
    }

    /** In a method of its own, so that no local variable holds the image. */
    private static WeakReference<Image> askAndForget(Chat chat) {
        Image image = ORACLE.image("blocks.png");
        chat.ask("What is this?", image);
        return new WeakReference<>(image);
    }

    @Test
    void aFailedQuestionLeavesTheChatAsItWas() {
        try (Chat chat = model.chat()) {
            chat.ask("Hello");
            assertThrows(PromptException.class, () -> chat.ask("<image> and <image>", ORACLE.image("discs.jpg")));
            assertThrows(PromptException.class, () -> chat.ask("y".repeat(30_000)));
            assertThrows(
                    PromptException.class, () -> chat.ask(Prompt.of("x").system("s"), CONFIG, ReplyListener.none()));
            assertThrows(
                    IllegalStateException.class,
                    () -> chat.ask("Again", chunk -> {
                        throw new IllegalStateException("a listener's own failure");
                    }));
            assertEquals(1, chat.history().size());
            assertEquals(
                    FinishReason.LENGTH,
                    chat.ask(Prompt.of("Still there?"), CONFIG, p -> {}).finish());
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
    void streamedChunksAreTheReply() {
        for (Oracle.Dialog dialog : ORACLE.dialogs()) {
            StringBuilder streamed = new StringBuilder();
            List<Integer> tokens = new ArrayList<>();
            Reply reply = model.generate(
                    ORACLE.prompt(dialog),
                    CONFIG,
                    chunk -> {
                        streamed.append(chunk.text());
                        if (chunk.token() >= 0) {
                            tokens.add(chunk.token());
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
                chunk -> streamed.append(chunk.text()),
                null);
        assertEquals("oraise Vtrecim", reply.text());
        assertEquals("oraise Vtrecim", streamed.toString());
        assertEquals(FinishReason.STOP, reply.finish());
        assertTrue(reply.tokens().size() < dialog.greedyTokens().size());
    }

    @Test
    void aStopTokenIsReportedWithItsText() {
        Oracle.Dialog dialog = ORACLE.dialog("text.0");
        List<Integer> until = dialog.greedyTokens().subList(0, 3);
        StringBuilder streamed = new StringBuilder();
        Reply reply = model.generate(
                ORACLE.prompt(dialog), CONFIG.stopTokens(until.get(2)), chunk -> streamed.append(chunk.text()), null);
        assertEquals(until, reply.tokens());
        assertEquals(FinishReason.STOP, reply.finish());
        int[] ids = until.stream().mapToInt(i -> i).toArray();
        assertEquals(model.tokenizer().decode(ids, true).strip(), reply.text());
        assertEquals(reply.text(), streamed.toString());
    }

    /** The original's chat overrules what generation_config.json says with the template's stop token. */
    @Test
    void theCheckpointsEosTokensEndAnAnswerOnlyWhereTheyAreGiven(@TempDir Path folder) throws IOException {
        Oracle.Dialog dialog = ORACLE.dialog("text.0");
        try (Stream<Path> files = Files.list(ORACLE.directory())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        int third = dialog.greedyTokens().get(2);
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [7, " + third + "]}");
        try (InternVL other = InternVL.load(folder, LoadOptions.defaults().precision(Precision.F32))) {
            List<Integer> eos = other.info().eosTokens();
            assertEquals(List.of(7, third), eos);
            Prompt prompt = ORACLE.prompt(dialog);
            assertEquals(dialog.greedyTokens(), other.generate(prompt, CONFIG).tokens());
            Reply ended = other.generate(prompt, CONFIG.stopTokens(eos.toArray(new Integer[0])));
            assertEquals(dialog.greedyTokens().subList(0, 3), ended.tokens());
        }
    }

    @Test
    void aSecondThreadOnTheSameChatIsRefused() throws Exception {
        try (Chat chat = model.chat()) {
            CountDownLatch answering = new CountDownLatch(1);
            CountDownLatch refused = new CountDownLatch(1);
            CompletableFuture<Reply> first = CompletableFuture.supplyAsync(() -> chat.ask("Hello", chunk -> {
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
            Reply reply = chat.ask("Tell me a story", chunk -> {
                if (chunk.text().length() > 3) {
                    chat.cancel();
                }
            });
            assertEquals(FinishReason.CANCELLED, reply.finish());
            assertTrue(reply.tokens().size() < 20);
            assertEquals(
                    FinishReason.LENGTH,
                    chat.ask(Prompt.of("Go on"), CONFIG, p -> {}).finish());
        }
    }

    @Test
    void whatIsCancelledBeforeItsImagesAreEncodedIsAnAnswerWithoutTokens() {
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
                    other.generate(Prompt.of("Hello"), CONFIG, chunk -> answering.countDown(), null);
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
                    ORACLE.dialogs().get(i).greedyTokens(),
                    replies.get(i).join().tokens());
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
