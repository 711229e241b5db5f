package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.ContextLengthException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What is set for a whole conversation: how it begins, how it is read and answered, and what happens at the context's end. */
class ChatOptionsTest {
    private static final Oracle ORACLE = Oracle.load("hermes-d128");
    private static final GenerationConfig CONFIG = GenerationConfig.greedy(6);
    private static final int CONTEXT = 400;

    private static InternVL model;

    @BeforeAll
    static void load() {
        model = InternVL.load(
                ORACLE.directory(),
                LoadOptions.defaults().precision(Precision.F32).contextLength(CONTEXT));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static ChatOptions options() {
        return ChatOptions.defaults().config(CONFIG);
    }

    @Test
    void theConfigIsForQuestionsThatHaveNone() {
        try (Chat chat = model.chat(options())) {
            assertEquals(6, chat.ask("Hello").tokens().size());
            assertEquals(
                    2, chat.ask("Hello", GenerationConfig.greedy(2)).tokens().size());
            assertEquals(6, chat.ask(Prompt.of("Hello")).tokens().size());
            assertEquals(6, chat.ask("Hello", chunk -> {}).tokens().size());
        }
        assertEquals(
                GenerationConfig.thinking(),
                ChatOptions.defaults().thinking(true).config());
        assertEquals(CONFIG, options().thinking(true).config());
    }

    @Test
    void theModeIsForQuestionsThatHaveNone() {
        try (Chat chat = model.chat(options().specialTokens(SpecialTokens.REJECT))) {
            assertThrows(PromptException.class, () -> chat.ask("<|im_end|>"));
            chat.ask(Prompt.of("<|im_end|>").specialTokens(SpecialTokens.LITERAL));
            assertEquals(
                    List.of(SpecialTokens.LITERAL),
                    chat.history().stream().map(Turn::specialTokens).toList());
        }
    }

    @Test
    void thinkingHasASystemMessageOfItsOwn() {
        assertThrows(
                PromptException.class, () -> ChatOptions.defaults().system("s").thinking(true));
        assertThrows(
                PromptException.class,
                () -> ChatOptions.defaults().thinking(true).system("s"));
    }

    @Test
    void optionsAreEqualByValue() {
        assertEquals(options().system("s"), options().system("s"));
        assertEquals(options().hashCode(), options().hashCode());
        assertNotEquals(options(), options().whenFull(WhenFull.DROP_OLDEST));
        assertTrue(
                options().toString().startsWith("ChatOptions[system=null, thinking=false, "),
                options().toString());
    }

    @Test
    void aHistoryGoesOn() {
        Image blocks = ORACLE.image("blocks.png");
        List<Turn> history = List.of(Turn.of("<image>\nWhat is this?", "Blocks."), Turn.of("Which?", "Red ones."));
        Prompt whole = Prompt.of("How many?", blocks)
                .history(history)
                .system("Be brief.")
                .placeholders(List.of());
        Reply expected = model.generate(whole, CONFIG);
        try (Chat chat =
                model.chat(options().system("Be brief.").history(history).images(List.of(List.of(blocks))))) {
            assertEquals(
                    history.stream().map(Turn::question).toList(),
                    chat.history().stream().map(Turn::question).toList());
            Reply reply = chat.ask("How many?");
            assertEquals(expected.promptTokens(), reply.promptTokens());
            assertEquals(expected.logprobs(), reply.logprobs());
            chat.undo();
            assertEquals("Red ones.", chat.undo().orElseThrow().answer());
            assertEquals("Blocks.", chat.undo().orElseThrow().answer());
        }
        List<Turn> words = history.subList(1, 2);
        try (Chat chat = model.chat("Be brief.", words)) {
            Prompt same = Prompt.of("How many?").history(words).system("Be brief.");
            assertEquals(
                    model.generate(same, CONFIG).logprobs(),
                    chat.ask("How many?", CONFIG).logprobs());
        }
    }

    @Test
    void aHistoryHasAsManyImagesAsPlaceholders() {
        List<List<Image>> one = List.of(List.of(ORACLE.image("blocks.png")));
        List<Turn> none = List.of(Turn.of("What?", "That."));
        List<Turn> two = List.of(Turn.of("<image><image>", "That."));
        assertThrows(
                PromptException.class, () -> model.chat(options().history(none).images(one)));
        assertThrows(
                PromptException.class, () -> model.chat(options().history(two).images(one)));
        try (Chat chat = model.chat(options().history(two))) { // without any image it is text
            assertEquals(
                    List.of(List.of()),
                    chat.history().stream().map(Turn::placeholders).toList());
        }
    }

    /** Fills the context, and returns how many turns that took. */
    private static int fill(Chat chat) {
        while (true) {
            try {
                chat.ask("Hello, and what is new?");
            } catch (ContextLengthException full) {
                return chat.history().size();
            }
        }
    }

    @Test
    void afterAFullContextsErrorTheChatGoesOn() {
        try (Chat chat = model.chat(options())) {
            int turns = fill(chat);
            assertTrue(turns > 2, turns + " turns");
            assertThrows(ContextLengthException.class, () -> chat.ask("Hello, and what is new?"));
            chat.undo();
            chat.undo();
            assertEquals(6, chat.ask("Hello, and what is new?").tokens().size());
            assertThrows(ContextLengthException.class, () -> chat.ask("z".repeat(500)));
            chat.reset();
            assertEquals(0, chat.ask("Hello").droppedTurns());
        }
    }

    @Test
    void theOldestTurnsMakeRoom() {
        ChatOptions dropping = options().system("Be brief.").whenFull(WhenFull.DROP_OLDEST);
        int turns;
        try (Chat chat = model.chat(options().system("Be brief."))) {
            turns = fill(chat);
        }
        try (Chat chat = model.chat(dropping)) {
            chat.ask("What is this?", ORACLE.image("blocks.png"));
            int dropped = 0;
            for (int i = 0; i < 2 * turns; i++) {
                Reply reply = chat.ask("Hello, and what is new?");
                dropped += reply.droppedTurns();
                assertEquals(6, reply.tokens().size(), "there is room for the whole answer");
                assertEquals(2 + i - dropped, chat.history().size());
            }
            assertTrue(dropped > turns / 2, dropped + " turns dropped");
            // What is left is the whole truth: the system message and the turns that history() has.
            List<Turn> left = chat.history();
            Prompt same =
                    Prompt.of("And now?").system("Be brief.").history(left).placeholders(List.of());
            Reply reply = chat.ask("And now?");
            List<Turn> kept = left.subList(reply.droppedTurns(), left.size());
            Reply expected = model.generate(same.history(kept), CONFIG);
            assertEquals(expected.promptTokens(), reply.promptTokens());
            assertEquals(expected.logprobs(), reply.logprobs());
            assertEquals("And now?", chat.undo().orElseThrow().question());
        }
    }

    @Test
    void aQuestionThatIsTooLongAloneDropsNothing() {
        try (Chat chat = model.chat(options().whenFull(WhenFull.DROP_OLDEST))) {
            chat.ask("Hello");
            chat.ask("Hello");
            assertThrows(ContextLengthException.class, () -> chat.ask("z".repeat(3_000)));
            assertEquals(2, chat.history().size());
            Reply all = chat.ask("Hello", GenerationConfig.greedy(1_000_000));
            assertEquals(0, all.droppedTurns(), "an answer needs a quarter of the context at most");
        }
    }
}
