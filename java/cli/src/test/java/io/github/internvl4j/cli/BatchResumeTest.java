package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.DEMO;
import static io.github.internvl4j.cli.Cli.JSON;
import static io.github.internvl4j.cli.Cli.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.cli.Cli.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Batches that go on where an earlier run ended. */
class BatchResumeTest {
    private static final String OPEN_AI =
            "{\"custom_id\": \"c\", \"body\": {\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}}";

    @TempDir
    Path folder;

    private Path input;
    private Path output;

    @BeforeEach
    void files() {
        input = folder.resolve("in.jsonl");
        output = folder.resolve("out.jsonl");
    }

    private Run batch(String... options) {
        return run(
                List.of("batch", "--model", DEMO, "--input", input.toString(), "--output", output.toString()), options);
    }

    /** A mark that only an answer of the earlier run has. */
    private static String earlier(String answer) {
        return answer.replace("\"seconds\":", "\"earlier\":1,\"seconds\":")
                .replace("\"usage\":", "\"earlier\":1,\"usage\":");
    }

    private List<Boolean> kept() throws IOException {
        return Files.readAllLines(output).stream()
                .map(line -> line.contains("\"earlier\":1"))
                .toList();
    }

    @Test
    void answersAreNotOverwrittenUnasked() throws IOException {
        Files.writeString(input, "{\"prompt\": \"Hello\"}");
        Files.writeString(output, "hours of work");
        batch().failed(2, output.toString(), "--resume", "--overwrite");
        assertEquals("hours of work", Files.readString(output));
        batch("--resume", "--overwrite").failed(2, "exclude");
        batch("--resume").failed(1, output + " line 1 is no answer");
        assertEquals("hours of work", Files.readString(output));
        batch("--overwrite", "--context", "-1").failed(1, "--context");
        assertEquals("hours of work", Files.readString(output), "what cannot begin removes nothing");
        batch("--overwrite").succeeded();
        assertEquals(1, Files.readAllLines(output).size());
    }

    @Test
    void wholeAnswersStayAndTheOthersAreAskedAgain() throws IOException {
        List<String> lines = List.of(
                "{\"id\": 1, \"prompt\": \"Hello\"}",
                "{\"id\": 2, \"prompt\": \"Hello\", \"images\": [\"late.jpg\"]}",
                OPEN_AI,
                "{\"prompt\": \"Hello\"}",
                "{\"prompt\": \"Who are you?\"}");
        Files.write(input, lines);
        assertEquals(1, batch().status());
        List<String> answers = new ArrayList<>(Files.readAllLines(output).stream()
                .map(BatchResumeTest::earlier)
                .toList());
        String all =
                String.join("\n", answers.subList(0, 4)) + "\n" + answers.get(4).substring(0, 40);
        Files.writeString(output, all);
        Files.copy(Path.of(DEMO, "samples", "two.jpg"), folder.resolve("late.jpg"));
        batch("--resume").succeeded();
        assertEquals(List.of(true, false, true, true, false), kept());
        for (int i = 0; i < 5; i++) {
            String line = Files.readAllLines(output).get(i);
            assertEquals(i == 2, line.contains("custom_id"), line);
            assertTrue(i == 2 || JSON.readTree(line).get("index").asInt() == i, line);
        }
        String whole = Files.readString(output);
        batch("--resume").succeeded();
        assertEquals(whole, Files.readString(output), "nothing was left to ask");
        try (var left = Files.list(folder)) {
            assertEquals(3, left.count(), "no other file is left behind");
        }
    }

    @Test
    void answersOfOtherRequestsAreRefused() throws IOException {
        Files.writeString(input, "{\"id\": 1, \"prompt\": \"Hello\"}\n" + OPEN_AI + "\n");
        batch().succeeded();
        String answers = Files.readString(output);
        for (String changed : List.of(
                "{\"id\": 1, \"prompt\": \"Bye\"}\n" + OPEN_AI,
                "{\"id\": 2, \"prompt\": \"Hello\"}\n" + OPEN_AI,
                "{\"id\": 1, \"prompt\": \"Hello\"}\n" + OPEN_AI.replace("Hello", "Bye"),
                "{\"id\": 1, \"prompt\": \"Hello\"}\n" + OPEN_AI.replace("\"c\"", "\"d\""),
                OPEN_AI,
                "")) {
            Files.writeString(input, changed);
            batch("--resume").failed(1, output + " line", input.toString(), "--overwrite");
            assertEquals(answers, Files.readString(output));
        }
        Files.writeString(input, OPEN_AI + "\n" + OPEN_AI);
        batch("--resume").failed(1, "lines 1 and 2", "custom_id");
    }

    @Test
    void requestsMayBeAdded() throws IOException {
        Files.writeString(input, "{\"id\": 1, \"prompt\": \"Hello\"}");
        // No line end.
        Files.writeString(output, "{\"index\": 0, \"id\": 1, \"text\": \"of another program\", \"finish\": \"stop\"}");
        Files.writeString(input, "{\"id\": 1, \"prompt\": \"Hello\"}\n{\"id\": 2, \"prompt\": \"Hello\"}\n");
        batch("--resume").succeeded();
        List<String> answers = Files.readAllLines(output);
        assertEquals(2, answers.size());
        assertTrue(answers.get(0).contains("of another program"), answers.get(0));
        assertTrue(answers.get(1).contains("\"id\":2"), answers.get(1));
    }
}
