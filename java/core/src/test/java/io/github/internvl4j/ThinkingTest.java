package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.runtime.RequestEvent;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.ThinkingStream;
import io.github.internvl4j.text.Turn;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The thinking mode, with a model of InternVL3.5's kind. */
class ThinkingTest {
    private static final ChatOptions THINKING = ChatOptions.defaults().thinking(true);
    private static final Oracle ORACLE = Oracle.load("qwen3");
    private static final GenerationConfig CONFIG = GenerationConfig.greedy(6);

    private static InternVL model;

    @BeforeAll
    static void load() {
        model = InternVL.load(ORACLE.directory(), LoadOptions.defaults().precision(Precision.F32));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    /** The digest is that of the published text. */
    @Test
    void theSystemMessageIsThePublishedOne() throws NoSuchAlgorithmException {
        byte[] text = Thinking.SYSTEM_MESSAGE.getBytes(StandardCharsets.UTF_8);
        assertEquals(
                "a2cb9e8de918a3e379ee49845f6ebc851d6f449b4d88f6523d2b49edae502101",
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text)));
        Prompt thinking = Prompt.of("Is 7 a prime number?").thinking(true);
        Prompt said = Prompt.of("Is 7 a prime number?").system(Thinking.SYSTEM_MESSAGE);
        assertEquals(
                model.generate(said, CONFIG).promptTokens(),
                model.generate(thinking, CONFIG).promptTokens());
        assertEquals(said.question(), thinking.thinking(false).question());
    }

    /** Its marks are tokens of their own, as in the original, whatever is taken for text. */
    @Test
    void theSystemMessagesMarksAreMeant() {
        int mark = model.tokenizer().tokenId(ThinkingStream.BEGIN).orElseThrow();
        for (SpecialTokens mode : SpecialTokens.values()) {
            Prompt prompt = Prompt.of("Is 7 a prime number?").thinking(true).specialTokens(mode);
            assertTrue(model.generate(prompt, CONFIG).promptTokens().contains(mark), mode::name);
            try (Chat chat = model.chat(THINKING.specialTokens(mode))) {
                Reply reply = chat.ask(Prompt.of("Is 7 a prime number?"), CONFIG, ReplyListener.none());
                assertEquals(model.generate(prompt, CONFIG).promptTokens(), reply.promptTokens());
            }
        }
    }

    private record Answered(Reply reply, List<Chunk> chunks) {}

    /** What the model would have said. */
    private static Answered answered(boolean thinking, int... tokens) {
        List<Chunk> chunks = new ArrayList<>();
        Answer answer = new Answer(
                new int[] {1}, CONFIG, chunks::add, model.reader(), thinking, 0, new RequestWatch(List.of(), 0));
        for (int token : tokens) {
            answer.accept(RequestEvent.token(1, token, null));
        }
        return new Answered(answer.finish(FinishReason.LENGTH), chunks);
    }

    @Test
    void thinkingIsApartFromTheAnswer() {
        String said = "<think>\n7 = 7 * 1, so yes.\n</think>\n\nYes, it is.";
        int[] marks = model.tokenizer().encode(said);
        int[] spelled = model.tokenizer().encodeLiteral(said);
        assertTrue(marks.length < spelled.length, "as tokens of their own, and as plain text");
        for (int[] tokens : List.of(marks, spelled)) {
            Answered thought = answered(true, tokens);
            assertEquals("7 = 7 * 1, so yes.", thought.reply().thinking());
            assertEquals("Yes, it is.", thought.reply().text());
            assertEquals(said, thought.reply().response());
            assertEquals(
                    "7 = 7 * 1, so yes.",
                    String.join(
                            "", thought.chunks().stream().map(Chunk::thinking).toList()));
            assertEquals(
                    "Yes, it is.",
                    String.join("", thought.chunks().stream().map(Chunk::text).toList()));
            assertTrue(
                    thought.chunks().stream().anyMatch(chunk -> chunk.thinking().contains("7")), "as it comes");
            Answered plain = answered(false, tokens);
            assertEquals(said, plain.reply().text());
            assertEquals(said, plain.reply().response());
            assertNull(plain.reply().thinking());
            assertTrue(
                    plain.chunks().stream().allMatch(chunk -> chunk.thinking().isEmpty()));
        }
    }

    @Test
    void aThoughtThatIsCutIsAThought() {
        Answered cut = answered(true, model.tokenizer().encodeLiteral("<think> 7 is </thi"));
        assertEquals("7 is </thi", cut.reply().thinking());
        assertEquals("", cut.reply().text());
        assertEquals(
                "", answered(true, model.tokenizer().encode("Yes.")).reply().thinking());
    }

    /** As the original's chat keeps the whole response. */
    @Test
    void aChatKeepsTheWholeResponse() {
        try (Chat chat = model.chat(THINKING)) {
            Reply one = chat.ask(Prompt.of("Is 7 a prime number?"), CONFIG, ReplyListener.none());
            assertEquals("", one.thinking());
            assertEquals(
                    List.of(one.response()),
                    chat.history().stream().map(Turn::answer).toList());
            Reply two = chat.ask(Prompt.of("And 8?").thinking(true), CONFIG, ReplyListener.none());
            Prompt whole = Prompt.of("And 8?")
                    .thinking(true)
                    .history(List.of(chat.history().get(0)));
            Reply fresh = model.generate(whole, CONFIG);
            assertEquals(fresh.promptTokens(), two.promptTokens());
            assertEquals(fresh.tokens(), two.tokens());
            assertTrue(two.timings().reusedTokens() >= one.promptTokens().size());
        }
    }

    @Test
    void drawnAsTheCardDraws() {
        assertEquals(0.6f, GenerationConfig.thinking().temperature());
        try (Chat chat = model.chat(THINKING);
                Chat other = model.chat(THINKING);
                Chat greedy = model.chat(THINKING)) {
            List<Integer> drawn = chat.ask("Is 7 a prime number?").tokens();
            Prompt question = Prompt.of("Is 7 a prime number?");
            assertEquals(
                    drawn,
                    other.ask(question, GenerationConfig.thinking(), ReplyListener.none())
                            .tokens());
            assertFalse(drawn.equals(greedy.ask(question, GenerationConfig.defaults(), ReplyListener.none())
                    .tokens()));
        }
    }

    @Test
    void onlyOneSystemMessage() {
        assertThrows(PromptException.class, () -> Prompt.of("q").system("S").thinking(true));
        assertThrows(PromptException.class, () -> Prompt.of("q").thinking(true).system(""));
        try (Chat chat = model.chat()) {
            assertThrows(
                    PromptException.class, () -> chat.ask(Prompt.of("q").thinking(true), CONFIG, ReplyListener.none()));
        }
    }

    @Test
    void inABatchEachHasItsOwn() {
        List<Reply> replies = model.batch(List.of(Prompt.of("q"), Prompt.of("q").thinking(true)), CONFIG);
        assertNull(replies.get(0).thinking());
        assertEquals("", replies.get(1).thinking());
    }
}
