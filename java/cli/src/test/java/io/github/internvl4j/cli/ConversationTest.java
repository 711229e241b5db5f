package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.D128;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.cli.Cli.Run;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A session over a pipe, with one question a line. */
class ConversationTest {
    private static final String IMAGE = D128 + "/images/discs.jpg";

    @TempDir
    Path folder;

    private static Run talk(String... lines) {
        return Cli.runWithInput(String.join("\n", lines) + "\n", "chat", "--model", D128, "--max-new-tokens", "5");
    }

    private static List<String> answers(Run run) {
        return run.out().lines().toList();
    }

    @Test
    void afterAResetTheSameQuestionHasTheSameAnswer() {
        Run run = talk(
                "Hello", "", "/image " + IMAGE, "What is it?", "And now?", "/reset", "Hello", "/exit", "never asked");
        assertEquals(4, answers(run.succeeded()).size(), run.out());
        assertEquals(answers(run).get(0), answers(run).get(3));
        assertEquals("", run.err());
    }

    @Test
    void afterAnUndoTheQuestionWasNotAsked() {
        Run run = talk("Hello", "What is it?", "/undo", "What is it?", "/undo", "/undo", "/undo", "Hello");
        List<String> answers = answers(run.succeeded());
        assertEquals(4, answers.size(), run.out());
        assertEquals(answers.get(1), answers.get(2));
        assertEquals(answers.get(0), answers.get(3));
        assertEquals(1, run.err().lines().count(), run.err());
    }

    @Test
    void aTurnIsAnsweredAsInOnePrompt() throws IOException {
        Run run = talk("/image " + IMAGE, "Describe it.", "Write a poem.");
        List<String> alone = List.of("chat", "--model", D128, "--image", IMAGE, "--max-new-tokens", "5", "--json");
        JsonNode first = Cli.run(alone, "--prompt", "Describe it.").json();
        Path history = folder.resolve("h.json");
        Cli.JSON.writeValue(
                history.toFile(),
                List.of(List.of("<image>\nDescribe it.", first.get("text").asText())));
        JsonNode second = Cli.run(alone, "--prompt", "Write a poem.", "--history", history.toString())
                .json();
        assertEquals(
                List.of(first.get("text").asText(), second.get("text").asText()),
                answers(run.succeeded()).stream().map(String::strip).toList());
    }

    @Test
    void whatFailsIsOneLineAndTheSessionGoesOn() {
        Run run = talk(
                "/nonsense",
                "/image",
                "/image absent.png",
                "/image \0",
                "/video " + IMAGE,
                "Video?",
                "/reset",
                "<IMG_CONTEXT> where?",
                "Hello");
        assertEquals(1, answers(run.succeeded()).size(), run.out());
        List<String> errors = run.err().lines().toList();
        assertEquals(6, errors.size(), run.err());
        assertTrue(errors.stream().allMatch(line -> line.startsWith("internvl4j: ")), run.err());
        assertEquals(1, talk("Hello", "<IMG_CONTEXT> where?").status());
    }

    @Test
    void imagesWaitUntilAQuestionAboutThemIsAnswered() {
        Run run = talk("/image " + IMAGE, "<image> and <image>", "What is it?");
        Run good = talk("/image " + IMAGE, "What is it?");
        assertEquals(answers(good.succeeded()), answers(run.succeeded()));
        assertEquals(1, run.err().lines().count(), run.err());
    }

    @Test
    void theSystemMessageCanBeChanged() {
        Run run = talk("Hello", "/system You are a cat.", "Hello", "/system", "Hello");
        List<String> answers = answers(run.succeeded());
        assertEquals(answers.get(0), answers.get(2));
        Run cat = Cli.run(
                "chat", "--model", D128, "--max-new-tokens", "5", "--system", "You are a cat.", "--prompt", "Hello");
        assertEquals(cat.out().strip(), answers.get(1).strip());
    }

    @Test
    void helpListsEveryCommand() {
        String help = talk("/help").succeeded().out();
        for (String command : List.of("/image", "/video", "/system", "/undo", "/reset", "/help", "/exit")) {
            assertTrue(help.contains(command), help);
        }
    }

    /** A conversation of so many short questions in a context that has room for few of them. */
    private static Run talkInLittleRoom(int questions, String... options) {
        List<String> args = new ArrayList<>(
                List.of("chat", "--model", D128, "--context", "128", "--max-new-tokens", "5", "--system", "Be brief."));
        args.addAll(List.of(options));
        return Cli.runWithInput("Hello, and what is new?\n".repeat(questions), args.toArray(String[]::new));
    }

    @Test
    void aFullConversationFailsAndSaysWhatHelps() {
        Run run = talkInLittleRoom(9);
        assertEquals(1, run.status(), "the last question failed");
        assertTrue(answers(run).size() > 1, run.out());
        String error = run.err().lines().findFirst().orElseThrow();
        assertTrue(
                error.endsWith(
                        "; /undo takes the last question back, /reset begins anew, --when-full drop-oldest makes room"),
                error);
        assertFalse(error.contains("undo()"), error);
    }

    @Test
    void aFullConversationCanForgetItsOldestTurns() {
        Run run = talkInLittleRoom(9, "--when-full", "drop-oldest").succeeded();
        assertEquals(9, answers(run).size(), run.out());
        assertTrue(run.err().startsWith("internvl4j: to make room, turns were forgotten: the oldest 1"), run.err());
    }

    @Test
    void optionsWithoutMeaningHereAreRefused() {
        Cli.run("chat", "--model", D128, "--when-full", "drop-oldest", "--prompt", "Hello")
                .failed(2, "--when-full", "--prompt");
        Cli.run("chat", "--model", D128, "--when-full", "never")
                .failed(2, "'--when-full': expected fail or drop-oldest, found 'never'");
        Cli.run("chat", "--model", D128, "--json").failed(2, "--prompt");
        Cli.run("chat", "--model", D128, "--history", "h.json").failed(2, "--prompt");
        Cli.run("chat", "--model", D128, "--image", "absent.png").failed(1, "absent.png");
    }
}
