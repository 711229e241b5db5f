package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The card's dialogs with a checkpoint that sees: its answers are long, end themselves, and are true in every precision. */
class DemoModelTest {
    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16", "F16"})
    void everyDialogIsThePlainPyTorchModelsRoundByRound(Precision precision) {
        List<DemoModel.Dialog> dialogs = DemoModel.dialogs();
        assertFalse(dialogs.isEmpty());
        try (InternVL model = DemoModel.load(precision)) {
            for (DemoModel.Dialog dialog : dialogs) {
                try (Chat chat = model.chat()) {
                    Prompt question = dialog.opening();
                    for (DemoModel.Turn turn : dialog.turns()) {
                        if (turn != dialog.turns().get(0)) {
                            question = Prompt.of(turn.question());
                        }
                        assertAnswers(turn, chat, question, dialog.name());
                    }
                }
            }
        }
    }

    private static void assertAnswers(DemoModel.Turn turn, Chat chat, Prompt question, String name) {
        StringBuilder streamed = new StringBuilder();
        Reply reply = chat.ask(question, DemoModel.CONFIG, piece -> streamed.append(piece.text()));
        assertEquals(turn.promptIds(), reply.promptTokens(), name);
        assertEquals(turn.answer(), reply.text(), name);
        assertEquals(turn.answerIds(), reply.tokens(), name);
        assertEquals(turn.answer(), streamed.toString().strip(), name);
        assertEquals(FinishReason.STOP, reply.finish(), name);
    }

    @Test
    void asOneBatchTheAnswersAreTheSame() {
        List<DemoModel.Dialog> dialogs = DemoModel.dialogs();
        try (InternVL model = DemoModel.load(Precision.BF16)) {
            List<Reply> replies =
                    model.batch(dialogs.stream().map(DemoModel.Dialog::opening).toList(), DemoModel.CONFIG);
            for (int i = 0; i < replies.size(); i++) {
                assertEquals(
                        dialogs.get(i).turns().get(0).answerIds(),
                        replies.get(i).tokens());
            }
        }
    }
}
