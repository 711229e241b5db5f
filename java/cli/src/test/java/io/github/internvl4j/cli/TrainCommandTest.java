package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.GQA7;
import static io.github.internvl4j.cli.Cli.run;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.cli.Cli.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From a meta file to an adapter, at the command line. */
class TrainCommandTest {
    private static final Path DATA = Path.of(GQA7).resolveSibling("training").resolve("hermes-gqa7");

    @TempDir
    Path folder;

    private Run train(Path meta, String... options) {
        return run(
                List.of(
                        "train",
                        "--model",
                        GQA7,
                        "--data",
                        meta.toString(),
                        "--out",
                        folder.resolve("out").toString(),
                        "--rank",
                        "4",
                        "--micro-batch",
                        "2",
                        "--accumulation",
                        "2",
                        "--max-length",
                        "336"),
                options);
    }

    /** After lines that tell what is planned. */
    private static void failed(Run run, String... words) {
        assertEquals(1, run.status(), run.err());
        for (String word : words) {
            assertTrue(run.err().contains(word), run.err());
        }
    }

    private Path adapter() {
        return folder.resolve("out").resolve("adapter_model.safetensors");
    }

    private List<JsonNode> log() throws IOException {
        List<JsonNode> entries = new ArrayList<>();
        for (String line :
                Files.readAllLines(folder.resolve("out").resolve("training").resolve("log.jsonl"))) {
            entries.add(new ObjectMapper().readTree(line));
        }
        return entries;
    }

    /** Three lines that can be learnt. */
    private Path good() throws IOException {
        List<String> lines = Files.readAllLines(DATA.resolve("data.jsonl"));
        Files.write(folder.resolve("data.jsonl"), List.of(lines.get(0), lines.get(3), lines.get(9)));
        Path meta = folder.resolve("meta.json");
        Files.writeString(
                meta,
                "{\"good\": {\"root\": \"" + DATA.toAbsolutePath().resolve("images")
                        + "\", \"annotation\": \"data.jsonl\"}}");
        return meta;
    }

    @Test
    void anAdapterComesOutAndAnswers() throws IOException {
        Run made = train(good(), "--epochs", "3", "--held-out", "0.4");
        assertEquals(
                "adapter in " + folder.resolve("out") + "\n", made.succeeded().out());
        assertTrue(made.err().contains("held-out loss"), made.err());
        Run asked = run(
                "chat",
                "--model",
                GQA7,
                "--adapter",
                folder.resolve("out").toString(),
                "--prompt",
                "Hello",
                "--max-new-tokens",
                "4");
        assertTrue(asked.succeeded().out().length() > 1);
        assertEquals(3, log().stream().filter(entry -> entry.has("loss")).count());
        assertEquals(
                2, log().stream().filter(entry -> entry.has("held_out_loss")).count());
        String curve =
                Files.readString(folder.resolve("out").resolve("training").resolve("loss.svg"));
        assertTrue(curve.startsWith("<svg") && curve.contains("held out"), curve);
    }

    @Test
    void linesThatAreNotLearntAreNamed() throws IOException {
        Run made = train(DATA.resolve("meta.json"));
        failed(made, "data.jsonl:17: ", "missing.png", "lines were not learnt");
        assertTrue(Files.exists(adapter()));
        assertTrue(log().stream()
                .anyMatch(entry -> entry.path("not_learnt").asText().contains("missing.png")));
    }

    @Test
    void aTrainingGoesOnWithTheSameBits() throws IOException {
        Path meta = good();
        train(meta, "--epochs", "4").succeeded();
        byte[] whole = Files.readAllBytes(adapter());
        train(meta, "--epochs", "4").failed(1, "--resume");
        failed(train(meta, "--epochs", "5", "--resume"), "state.safetensors", "other options");
        train(meta, "--epochs", "4", "--resume").succeeded();
        assertArrayEquals(whole, Files.readAllBytes(adapter()));
    }

    @Test
    void aPlanDoesNothing() throws IOException {
        Run planned = train(good(), "--plan");
        assertTrue(planned.succeeded().out().contains("memory: "), planned.out());
        assertTrue(Files.notExists(folder.resolve("out")));
    }

    @Test
    void wholePartsComeOutAsACheckpoint() throws IOException {
        train(good(), "--decoder", "all", "--projector").succeeded();
        Run asked =
                run("chat", "--model", folder.resolve("out").toString(), "--prompt", "Hello", "--max-new-tokens", "4");
        assertTrue(asked.succeeded().out().length() > 1);
    }

    @Test
    void wrongOptionsAreNamed() throws IOException {
        Path meta = good();
        train(meta, "--rate", "2").failed(1, "--rate is 2.0, expected more than 0");
        train(meta, "--save-every", "0").failed(1, "--save-every is 0");
        train(meta, "--decoder", "nothing").failed(1, "expected that one of them learns");
        train(folder.resolve("none.json")).failed(1, "none.json");
        train(meta, "--memory-limit", "1000").failed(1, "training needs", "MiB");
        Files.writeString(meta, "{\"good\": {\"root\": 1}}");
        train(meta).failed(1, "meta.json: root of the set \"good\" is 1, expected a path");
    }
}
