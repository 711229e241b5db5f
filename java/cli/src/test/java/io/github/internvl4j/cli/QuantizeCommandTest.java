package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.GQA7;
import static io.github.internvl4j.cli.Cli.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.cli.Cli.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints in four bits, calibrated with the lines that {@code batch} reads. */
class QuantizeCommandTest {
    private static final String GOOD = "{\"prompt\": \"What is this?\", \"images\": [\"blocks.png\"]}";

    @TempDir
    Path folder;

    private Path requests;
    private Path output;

    @BeforeEach
    void files() throws IOException {
        requests = folder.resolve("requests.jsonl");
        output = folder.resolve("int4");
        Files.copy(Path.of(GQA7, "images", "blocks.png"), folder.resolve("blocks.png"));
    }

    private Run quantize(List<String> lines, String... options) throws IOException {
        Files.write(requests, lines);
        return run(
                List.of("quantize", "--model", GQA7, "--out", output.toString(), "--calibrate", requests.toString()),
                options);
    }

    @Test
    void aCalibratedCheckpointAnswers() throws IOException {
        Run made = quantize(List.of(GOOD, "{\"prompt\": \"Hello\"}"), "--bits", "4");
        assertEquals("int4 checkpoint in " + output + "\n", made.succeeded().out());
        assertTrue(Files.notExists(output.resolve("calibration")));
        Run asked = run("chat", "--model", output.toString(), "--prompt", "Hello", "--max-new-tokens", "4");
        assertTrue(asked.succeeded().out().length() > 1);
    }

    @Test
    void whatCannotBeReadIsNamedByItsLine() throws IOException {
        String missing = "{\"prompt\": \"What is this?\", \"images\": [\"none.png\"]}";
        quantize(List.of(GOOD, "", missing), "--bits", "4").failed(1, "requests.jsonl, line 3: ", "none.png");
        quantize(List.of("{\"question\": 1}"), "--bits", "4").failed(1, "requests.jsonl, line 1: ", "question");
        quantize(List.of(), "--bits", "4").failed(1, "the calibration has no prompts, expected at least one");
    }

    @Test
    void optionsThatWouldDoNothingAreRefused() throws IOException {
        quantize(List.of(GOOD)).failed(1, "--calibrate goes with --bits 4");
        run("quantize", "--model", GQA7, "--out", output.toString(), "--max-tiles", "2")
                .failed(1, "--max-tiles goes with --calibrate");
    }
}
