package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Messages in any order as a prompt. */
class PromptBuilderTest {
    private static final Image IMAGE = Image.read(DemoModel.DIRECTORY.resolve("samples/two.jpg"));
    private static final Prompt SHOWN =
            Prompt.of("").placeholders(List.of()).and(IMAGE).and("\nWhat is it?");

    private static PromptBuilder literal() {
        return PromptBuilder.of(SpecialTokens.LITERAL);
    }

    @Test
    void questionsAndAnswersAreTurns() {
        Prompt prompt = literal()
                .system("Be brief.")
                .user(SHOWN)
                .assistant("A square.")
                .user(Prompt.of("Of <image> colour?").placeholders(List.of()))
                .prompt();
        assertEquals("Be brief.", prompt.system());
        assertEquals(List.of(Turn.of("<image>\nWhat is it?", "A square.").placeholders(List.of(0))), prompt.history());
        assertEquals("Of <image> colour?", prompt.question());
        assertEquals(List.of(), prompt.placeholders());
        assertEquals(List.of(List.of(IMAGE)), prompt.images());
        assertEquals(SpecialTokens.LITERAL, prompt.specialTokens());
    }

    @Test
    void whatStandsAloneIsATurnOfItsOwn() {
        Prompt prompt = literal()
                .assistant("Welcome.")
                .system("Be kind.")
                .user(Prompt.of("One"))
                .user(Prompt.of("Two"))
                .system("Be brief.")
                .assistant("Yes.")
                .assistant("Well.")
                .user(Prompt.of("Three"))
                .prompt();
        assertEquals(null, prompt.system());
        assertEquals(
                List.of(
                        Turn.ofAnswer("Welcome."),
                        Turn.ofSystem("Be kind."),
                        Turn.ofQuestion("One").placeholders(List.of()),
                        Turn.ofQuestion("Two").placeholders(List.of()),
                        Turn.ofSystem("Be brief."),
                        Turn.ofAnswer("Yes."),
                        Turn.ofAnswer("Well.")),
                prompt.history());
        assertEquals("Three", prompt.question());
    }

    @Test
    void onlyTheFirstMessageIsThePromptsOwn() {
        Prompt prompt =
                literal().system("").system("Be brief.").user(Prompt.of("One")).prompt();
        assertEquals("", prompt.system());
        assertEquals(List.of(Turn.ofSystem("Be brief.")), prompt.history());
    }

    @Test
    void marksAreWhatTheModeSays() {
        Prompt marked = Prompt.of("Here: <image>", IMAGE);
        Prompt parsed = PromptBuilder.of(SpecialTokens.PARSE)
                .user(marked)
                .assistant("Yes.")
                .user(marked)
                .prompt();
        assertEquals(List.of(6), parsed.history().get(0).imagePlaceholders());
        assertEquals(List.of(6), parsed.placeholders());
        Prompt literal = literal().user(marked).prompt();
        assertEquals("<image>\nHere: <image>", literal.question());
        assertEquals(List.of(0), literal.placeholders());
    }

    @Test
    void tileLimitsStayWithTheirImages() {
        Prompt prompt = literal()
                .user(SHOWN)
                .assistant("")
                .user(Prompt.video("What happens?", List.of(IMAGE, IMAGE)))
                .user(SHOWN)
                .prompt();
        assertEquals(4, prompt.images().size());
        assertEquals(List.of(0, 1, 1), prompt.tileLimits());
    }

    @Test
    void theUserIsTheLast() {
        for (PromptBuilder built : List.of(
                literal(),
                literal().system("Be brief."),
                literal().user(SHOWN).assistant("A square."),
                literal().user(SHOWN).system("Be brief."))) {
            String message = assertThrows(PromptException.class, built::prompt).getMessage();
            assertTrue(message.contains("a last message of the user"), message);
        }
    }

    @Test
    void imagesComeBeforeATextThatIsAlone() {
        assertEquals(List.of("i", "j", "T"), PromptBuilder.usualOrder(List.of("i", "T", "j"), "T"::equals));
        assertEquals(List.of("T", "i", "T"), PromptBuilder.usualOrder(List.of("T", "i", "T"), "T"::equals));
        assertEquals(List.of("i"), PromptBuilder.usualOrder(List.of("i"), "T"::equals));
    }
}
