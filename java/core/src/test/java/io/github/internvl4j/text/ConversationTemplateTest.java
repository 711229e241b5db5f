package io.github.internvl4j.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.error.UnsupportedModelException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ConversationTemplateTest {
    private static final ConversationTemplate TEMPLATE = ConversationTemplates.HERMES_2;
    private static final String HEAD = "<|im_start|>system\nS<|im_end|>";
    private static final String TAIL = "<|im_end|><|im_start|>assistant\n";
    private static final String ONE = "<img><IMG_CONTEXT><IMG_CONTEXT></img>";
    private static final String TWO = "<img><IMG_CONTEXT><IMG_CONTEXT><IMG_CONTEXT><IMG_CONTEXT></img>";

    private static RenderedPrompt render(List<Turn> history, String question, Integer... images) {
        return TEMPLATE.render("S", history, question, List.of(images), 2);
    }

    @Test
    void textOnly() {
        assertEquals(
                HEAD + "<|im_start|>user\nHi" + TAIL, render(List.of(), "Hi").text());
        assertEquals(0, render(List.of(), "Hi").imageTokens());
    }

    @Test
    void imagesWithoutPlacesComeFirst() {
        RenderedPrompt one = render(List.of(), "Q", 1);
        assertEquals(HEAD + "<|im_start|>user\n" + ONE + "\nQ" + TAIL, one.text());
        assertEquals("<image>\nQ", one.question());
        RenderedPrompt separate = render(List.of(), "Q", 1, 1);
        assertEquals(HEAD + "<|im_start|>user\n" + ONE + "\n" + ONE + "\nQ" + TAIL, separate.text());
        assertEquals("<image>\n<image>\nQ", separate.question());
        RenderedPrompt combined = render(List.of(), "Q", 2);
        assertEquals(HEAD + "<|im_start|>user\n" + TWO + "\nQ" + TAIL, combined.text());
        assertEquals("<image>\nQ", combined.question());
        assertEquals(4, combined.imageTokens());
        assertEquals(
                HEAD + "<|im_start|>user\n" + ONE + "\n" + TAIL,
                render(List.of(), "", 1).text());
    }

    @Test
    void placesAreFilledInOrder() {
        List<Turn> history = List.of(Turn.of("a <image> b", "A"), Turn.of("c", "B"));
        assertEquals(
                HEAD + "<|im_start|>user\na " + TWO + " b<|im_end|><|im_start|>assistant\nA<|im_end|>"
                        + "<|im_start|>user\nc<|im_end|><|im_start|>assistant\nB<|im_end|><|im_start|>user\n"
                        + ONE + "x" + ONE + TAIL,
                render(history, "<image>x<image>", 2, 1, 1).text());
    }

    @Test
    void messagesNeedNotGoByTurns() {
        List<Turn> history = List.of(
                Turn.ofQuestion("a <image>"), Turn.of("b", "B"), Turn.ofAnswer("C <image>"), Turn.ofSystem("T"));
        assertEquals(
                HEAD + "<|im_start|>user\na " + ONE
                        + "<|im_end|><|im_start|>user\nb<|im_end|><|im_start|>assistant\nB<|im_end|>"
                        + "<|im_start|>assistant\nC <image><|im_end|><|im_start|>system\nT<|im_end|><|im_start|>user\nc"
                        + TAIL,
                render(history, "c", 1).text());
    }

    @Test
    void answersAndSystemMessageHaveNoPlaces() {
        List<Turn> history = List.of(Turn.of("<image>", "an <image> of a cat"));
        RenderedPrompt prompt = TEMPLATE.render("<image>?", history, "and <image>", List.of(1, 1), 2);
        assertEquals(
                "<|im_start|>system\n<image>?<|im_end|><|im_start|>user\n" + ONE
                        + "<|im_end|><|im_start|>assistant\nan <image> of a cat<|im_end|><|im_start|>user\nand " + ONE
                        + TAIL,
                prompt.text());
    }

    @Test
    void emptyMessagesOfTheHistoryAreTheRoleAlone() {
        assertEquals(
                HEAD + "<|im_start|>user\nq<|im_end|><|im_start|>assistant\n<|im_start|>user\nQ" + TAIL,
                render(List.of(Turn.of("q", "")), "Q").text());
    }

    @Test
    void countsMustAgree() {
        check(1, 2, () -> render(List.of(), "<image> x", 1, 1));
        check(0, 1, () -> render(List.of(Turn.of("q", "a")), "Q", 1));
        check(2, 1, () -> render(List.of(Turn.of("<image>", "a")), "<image>", 2));
        check(1, 0, () -> render(List.of(Turn.of("<image>", "a").placeholders(List.of(0))), "Q"));
        check(
                1,
                2,
                () -> TEMPLATE.render(
                        "S", List.of(), Turn.of("<image>", "").placeholders(List.of(0)), List.of(1, 1), 2));
    }

    @Test
    void withoutImagesImageIsText() {
        assertEquals(
                HEAD + "<|im_start|>user\nWhat is the <image> tag?" + TAIL,
                render(List.of(), "What is the <image> tag?").text());
        assertEquals(
                HEAD + "<|im_start|>user\n<image><|im_end|><|im_start|>assistant\na<|im_end|><|im_start|>user\n<image>?"
                        + TAIL,
                render(List.of(Turn.of("<image>", "a")), "<image>?").text());
    }

    @Test
    void inLiteralTextImageIsText() {
        Turn asked = Turn.of("a <image> of", "").specialTokens(SpecialTokens.LITERAL);
        RenderedPrompt prompt = TEMPLATE.render("S", List.of(), asked, List.of(1, 2), 2);
        assertEquals(HEAD + "<|im_start|>user\n" + ONE + "\n" + TWO + "\na <image> of" + TAIL, prompt.text());
        assertEquals("<image>\n<image>\na <image> of", prompt.question());
        // The images of the history are its own; what is left comes before the question.
        List<Turn> history = List.of(Turn.of("a <image>", "A"), Turn.of("c", "B"));
        assertEquals(
                HEAD + "<|im_start|>user\na " + TWO + "<|im_end|><|im_start|>assistant\nA<|im_end|>"
                        + "<|im_start|>user\nc<|im_end|><|im_start|>assistant\nB<|im_end|><|im_start|>user\n"
                        + ONE + "\na <image> of" + TAIL,
                TEMPLATE.render("S", history, asked, List.of(2, 1), 2).text());
    }

    @Test
    void onlyPlacesThatAreToldAreAny() {
        for (SpecialTokens mode : SpecialTokens.values()) {
            Turn asked = Turn.of("<image> is an <image>, <image>?", "")
                    .specialTokens(mode)
                    .placeholders(List.of(0, 23));
            assertEquals(
                    HEAD + "<|im_start|>user\n" + ONE + " is an <image>, " + TWO + "?" + TAIL,
                    TEMPLATE.render("S", List.of(), asked, List.of(1, 2), 2).text());
        }
    }

    @Test
    void placesOfARound() {
        Turn turn = Turn.of("<image> <image>", "a");
        assertEquals(List.of(0, 8), turn.imagePlaceholders());
        assertEquals(List.of(0, 8), turn.laidOut(2).placeholders());
        assertEquals(List.of(), turn.laidOut(0).placeholders());
        Turn literal = turn.specialTokens(SpecialTokens.LITERAL);
        assertEquals(List.of(), literal.imagePlaceholders());
        assertEquals(
                Turn.of("<image>\n<image> <image>", "a")
                        .specialTokens(SpecialTokens.LITERAL)
                        .placeholders(List.of(0)),
                literal.laidOut(1));
        for (List<Integer> wrong : List.of(List.of(1), List.of(8, 0), List.of(0, 0), List.of(-1), List.of(99))) {
            String message = assertThrows(PromptException.class, () -> turn.placeholders(wrong))
                    .getMessage();
            assertTrue(message.contains("placeholders are " + wrong) && message.contains("[0, 8]"), message);
        }
    }

    private static void check(int placeholders, int images, Executable render) {
        String message = assertThrows(PromptException.class, render).getMessage();
        assertTrue(
                message.contains(placeholders + " <image> placeholders") && message.contains(images + " image entries"),
                message);
    }

    @Test
    void nonsense() {
        assertThrows(PromptException.class, () -> render(List.of(), ""));
        assertThrows(PromptException.class, () -> render(List.of(), "Q", 0));
        assertThrows(PromptException.class, () -> render(List.of(), "Q", Integer.MAX_VALUE));
        assertThrows(PromptException.class, () -> TEMPLATE.render("", List.of(), "Q", List.of(1), 0));
    }

    @Test
    void aTemplateIsData() {
        List<Turn> history = List.of(Turn.of("q", "a"));
        assertEquals(
                "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\na<|im_end|>\n"
                        + "<|im_start|>user\n" + ONE + "\nQ<|im_end|>\n<|im_start|>assistant\n",
                ConversationTemplates.INTERNVL2_5
                        .render("S", history, "<image>\nQ", List.of(1), 2)
                        .text());
        assertEquals(
                "<|system|>\nS<|end|><|user|>\nq<|end|><|assistant|>\na<|end|><|user|>\nQ<|end|><|assistant|>\n",
                ConversationTemplates.PHI3_CHAT
                        .render("S", history, "Q", List.of(), 2)
                        .text());
        assertEquals("<|im_end|>", ConversationTemplates.INTERNVL2_5.stop());
        assertEquals("<|end|>", ConversationTemplates.PHI3_CHAT.stop());
        ConversationTemplate.Wrapping turn = ConversationTemplate.Wrapping.of("a", "b");
        for (String stop : List.of("", " \n", "<end>\n")) {
            assertThrows(
                    PromptException.class,
                    () -> new ConversationTemplate("n", null, turn, turn, turn, "", stop, List.of()));
        }
    }

    /** The prompts of the original's conversation.py. */
    @Test
    void rolesThatArePlainText() {
        ConversationTemplate template = ConversationTemplates.INTERNVL_ZH;
        assertEquals(
                " <human>: Q <bot>:",
                template.render(null, List.of(), "Q", List.of(), 2).text());
        assertEquals(
                "S <human>: q <bot>: a</s><human>: " + ONE + "\nQ <bot>:",
                template.render("S", List.of(Turn.of("q", "a")), "<image>\nQ", List.of(1), 2)
                        .text());
        assertEquals(
                " <human>:<bot>:<human>: Q <bot>:",
                template.render("", List.of(Turn.of("", "")), "Q", List.of(), 2).text());
        assertEquals("</s>", template.stop());
        assertFalse(template.tokens().contains("<human>"));
    }

    @Test
    void theSystemMessage() {
        for (String name : ConversationTemplates.names()) {
            ConversationTemplate template = ConversationTemplates.forName(name);
            String own = template.defaultSystemMessage();
            String begin = template.system().begin();
            String end = template.system().end();
            assertEquals(own == null ? "" : begin + own + end, system(template, null), name);
            assertEquals(begin + end, system(template, ""), name);
        }
        assertNull(ConversationTemplates.INTERNVL_HF.defaultSystemMessage());
    }

    private static String system(ConversationTemplate template, @Nullable String message) {
        String text = template.render(message, List.of(), "Q", List.of(), 2).text();
        return text.substring(0, text.indexOf(template.user().begin()));
    }

    @Test
    void emptyMessagesOfTheChatTemplateEnd() {
        assertEquals(
                "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n<|im_end|>\n<|im_start|>user\nQ<|im_end|>\n"
                        + "<|im_start|>assistant\n",
                ConversationTemplates.INTERNVL_HF
                        .render(null, List.of(Turn.of("q", "")), "Q", List.of(), 2)
                        .text());
    }

    @Test
    void names() {
        assertSame(TEMPLATE, ConversationTemplates.forName("Hermes-2"));
        String message = assertThrows(UnsupportedModelException.class, () -> ConversationTemplates.forName("vicuna_v1"))
                .getMessage();
        assertTrue(
                message.contains("vicuna_v1") && message.contains("Hermes-2, internlm2-chat, phi3-chat, internvl2_5"),
                message);
    }
}
