package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.DATA;
import static io.github.internvl4j.cli.Cli.DEMO;
import static io.github.internvl4j.cli.Cli.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.cli.Cli.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The card's benchmarks, asked of the demo checkpoint, which knows nothing of them. */
class EvaluateCommandTest {
    private static final Path SETS = DATA.resolve("evaluation").resolve("datasets");
    private static final String SOME = "mme,pope,mmvp,mmmu_validation,mmbench_test_en_20231003";

    @TempDir
    Path folder;

    private Run ask(String out, Path data, String... options) {
        List<String> command = List.of(
                "evaluate",
                "--model",
                DEMO,
                "--data",
                data.toString(),
                "--out",
                folder.resolve(out).toString());
        return run(command, options);
    }

    /** Every file of a run, by its place. */
    private Map<String, String> files(String out) throws IOException {
        Path root = folder.resolve(out);
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(root)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                String name = root.relativize(file).toString();
                if (!name.startsWith("table")) { // which names the folder
                    files.put(name, HexFormat.of().formatHex(Files.readAllBytes(file)));
                }
            }
        }
        return files;
    }

    @Test
    void batchesShardsAndResumedRunsGiveTheSameFiles() throws IOException {
        ask("one", SETS, "--benchmarks", SOME, "--batch-size", "1").succeeded();
        ask("many", SETS, "--benchmarks", SOME, "--batch-size", "16").succeeded();
        assertEquals(files("one"), files("many"));
        List<String> shards = new ArrayList<>();
        for (int shard = 0; shard < 3; shard++) {
            ask("part" + shard, SETS, "--benchmarks", SOME, "--shard", shard + "/3")
                    .succeeded();
            shards.add(folder.resolve("part" + shard).toString());
        }
        run(
                        "evaluate",
                        "--merge",
                        String.join(",", shards),
                        "--data",
                        SETS.toString(),
                        "--out",
                        folder.resolve("merged").toString(),
                        "--benchmarks",
                        SOME)
                .succeeded();
        assertEquals(files("one"), files("merged"));
    }

    @Test
    void anEndedRunGoesOnAndAsksNothingTwice() throws IOException {
        ask("whole", SETS, "--benchmarks", "mme").succeeded();
        ask("cut", SETS, "--benchmarks", "mme", "--limit", "9").succeeded();
        Path log = folder.resolve("cut/answers/mme.jsonl");
        List<String> lines = Files.readAllLines(log);
        assertEquals(9, lines.size());
        // As a kill leaves it: in another order, the last line half written. The mark shows that an answer was kept.
        String marked = lines.get(5).replace("\"finish\":", "\"kept\":1,\"finish\":");
        Files.writeString(
                log, marked + "\n" + lines.get(0) + "\n" + lines.get(1).substring(0, 40));
        Run again = ask("cut", SETS, "--benchmarks", "mme").succeeded();
        assertTrue(again.err().contains("mme: 32 to ask"), again.err());
        assertTrue(Files.readString(log).contains("\"kept\":1,"));
        Files.writeString(log, Files.readString(log).replace("\"kept\":1,", ""));
        assertEquals(files("whole"), files("cut"));
        assertTrue(ask("cut", SETS, "--benchmarks", "mme").succeeded().err().contains("mme: 0 to ask"));
        Run other = ask("cut", SETS, "--benchmarks", "mme", "--system", "Be brief.");
        assertEquals(1, other.status());
        assertTrue(other.err().contains("another system message: Answer the questions. there"), other.err());
    }

    @Test
    void whatIsDamagedFailsAlone() throws IOException {
        copy(SETS, folder.resolve("data"));
        Path data = folder.resolve("data");
        Files.delete(data.resolve("pope/val2014/COCO_val2014_000000310197.jpg"));
        Path seed = data.resolve("SEED/seed.jsonl");
        Files.writeString(seed, "{broken\n" + Files.readString(seed));
        Path torn = data.resolve("MMMU/Art/validation-00000-of-00001.parquet");
        Files.write(torn, Arrays.copyOf(Files.readAllBytes(torn), 5000));
        Run run = ask("out", data, "--benchmarks", "pope,seed,mmmu_validation");
        assertEquals(1, run.status());
        assertTrue(run.err().contains("there is no picture " + data.resolve("pope/val2014")), run.err());
        assertTrue(run.err().contains(seed + ", row 1: is no JSON"), run.err());
        assertTrue(run.err().contains(torn + " is no whole Parquet file"), run.err());
        JsonNode table = Cli.JSON.readTree(folder.resolve("out/table.json").toFile());
        for (JsonNode benchmark : table.get("benchmarks")) {
            assertTrue(benchmark.get("partial").asBoolean());
            assertFalse(benchmark.get("problems").isEmpty());
            assertTrue(benchmark.get("answered").asInt() > 0);
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path file : all.toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(file, target);
                }
            }
        }
    }

    @Test
    void theTableSaysHowItWasMadeAndVideosMayBeMissing() throws IOException {
        copy(SETS.resolve("SEED"), folder.resolve("data/SEED"));
        try (Stream<Path> frames = Files.list(folder.resolve("data/SEED/SEED-Bench-video-image"))) {
            for (Path frame : frames.toList()) {
                Files.delete(frame);
            }
        }
        Files.delete(folder.resolve("data/SEED/SEED-Bench-video-image"));
        Run run = ask("out", folder.resolve("data")).succeeded();
        assertTrue(run.err().contains("SEEDv1: 9 samples"), run.err());
        assertTrue(run.out().contains("system message: Answer the questions."), run.out());
        assertTrue(run.out().contains("precision: "), run.out());
        assertTrue(run.out().contains("scripts: 2024-04"), run.out());
        assertTrue(run.out().contains("beams: 5"), run.out());
        assertTrue(run.out().contains("75.6"), run.out());
    }

    @Test
    void withoutDataNoModelIsLoaded() throws IOException {
        Path model = Files.createDirectory(folder.resolve("no-model"));
        Files.writeString(model.resolve("config.json"), "{}");
        Run run = run("evaluate", "--model", model.toString(), "--data", folder.toString(), "--out", model.toString());
        assertEquals(1, run.status(), run.err());
        assertTrue(run.err().contains("no benchmark's files are below " + folder), run.err());
        assertFalse(run.err().contains("config.json"), run.err());
    }

    @Test
    void promptsAreTheOriginals() throws IOException {
        JsonNode expected =
                Cli.JSON.readTree(DATA.resolve("evaluation/expected/pope.json").toFile());
        Run run = ask("out", SETS, "--benchmarks", "pope", "--limit", "1", "--show-prompt")
                .succeeded();
        String prompt = run.out().replaceAll("<img>(<IMG_CONTEXT>)+</img>", "<image>");
        assertEquals("pope, 0:\n" + expected.get("first_prompt").asText() + "\n", prompt);
        assertFalse(Files.exists(folder.resolve("out")));
    }

    @Test
    void otherScriptsAskOtherwiseAndAreNotMixed() throws IOException {
        Run run = ask("later", SETS, "--benchmarks", "mmmu_validation", "--scripts", "2024-11", "--limit", "4")
                .succeeded();
        assertTrue(run.out().contains("scripts: 2024-11"), run.out());
        assertTrue(run.out().contains("beams: 1"), run.out());
        Map<String, String> files = files("later");
        for (String line : Files.readAllLines(folder.resolve("later/answers/MMMU_validation.jsonl"))) {
            JsonNode answer = Cli.JSON.readTree(line);
            assertTrue(answer.get("question").asText().contains("<image 1>"), line);
            assertTrue(answer.get("tokens").asInt() <= 10, line);
        }
        String out = folder.resolve("later").toString();
        run(
                        "evaluate",
                        "--score",
                        "--data",
                        SETS.toString(),
                        "--out",
                        out,
                        "--benchmarks",
                        "mmmu_validation",
                        "--limit",
                        "4")
                .succeeded();
        assertEquals(files, files("later"));
        Path facts = folder.resolve("later/run.json");
        String kept = Files.readString(facts);
        Files.writeString(facts, kept.replace("\"2024-11\"", "\"2031-01\""));
        Run unknown =
                run("evaluate", "--score", "--data", SETS.toString(), "--out", out, "--benchmarks", "mmmu_validation");
        assertEquals(1, unknown.status());
        assertTrue(unknown.err().contains("run.json, field scripts: there are no scripts of 2031-01"), unknown.err());
        Files.writeString(facts, kept);
        Run mixed = ask("later", SETS, "--benchmarks", "mmmu_validation");
        assertEquals(1, mixed.status());
        assertTrue(mixed.err().contains("another beams: 1 there, 5 now"), mixed.err());
        ask("x", SETS, "--scripts", "2024-05")
                .failed(2, "no scripts of 2024-05; there are those of 2024-04, 2024-07, 2024-11");
    }

    @Test
    void answersFromAFileAreScoredAgain() throws IOException {
        JsonNode expected = Cli.JSON.readTree(
                DATA.resolve("evaluation/expected/vizwiz_val.json").toFile());
        StringBuilder lines = new StringBuilder();
        for (JsonNode sample : expected.get("samples")) {
            int id = (int) lines.chars().filter(c -> c == '\n').count();
            lines.append(
                    "{\"benchmark\": \"vizwiz_val\", \"id\": " + id + ", \"answer\": " + sample.get("answer") + "}\n");
        }
        Path answers = Files.writeString(folder.resolve("answers.jsonl"), lines);
        String out = folder.resolve("out").toString();
        String[] where = {"--data", SETS.toString(), "--out", out, "--benchmarks", "vizwiz_val"};
        Run first =
                run(List.of("evaluate", "--answers", answers.toString()), where).succeeded();
        assertTrue(first.out().contains("100.0"), first.out());
        assertEquals(
                first.out(),
                run(List.of("evaluate", "--score"), where).succeeded().out());
        assertEquals(
                expected.get("results").get("vizwiz_val.json"),
                Cli.JSON.readTree(
                        Path.of(out, "results/vizwiz_val/vizwiz_val.json").toFile()));
    }

    /** Its dialogs' first turns, in the form in which {@code scripts/demo_model/exam.py} writes an exam. */
    @Test
    void theDemoCheckpointPassesItsExam() throws IOException {
        Path exam = Files.createDirectories(folder.resolve("data/demo"));
        copy(Path.of(DEMO, "samples"), exam.resolve("files"));
        StringBuilder requests = new StringBuilder();
        StringBuilder key = new StringBuilder();
        int number = 0;
        for (JsonNode dialog : Cli.JSON.readTree(Path.of(DEMO, "golden.json").toFile())) {
            JsonNode round = dialog.get("rounds").get(0);
            ObjectNode request = Cli.JSON.createObjectNode().put("id", number);
            request.set("prompt", round.get("question"));
            place(request, dialog);
            requests.append(request).append('\n');
            ObjectNode expected = Cli.JSON.createObjectNode().put("id", number++);
            expected.set("answer", round.get("answer"));
            expected.put("group", dialog.get("manner").asText()).set("kind", dialog.get("name"));
            key.append(expected).append('\n');
        }
        Files.writeString(exam.resolve("requests.jsonl"), requests);
        Files.writeString(exam.resolve("key.jsonl"), key);
        ask("out", folder.resolve("data"), "--benchmarks", "demo").succeeded();
        JsonNode table = Cli.JSON.readTree(folder.resolve("out/table.json").toFile());
        JsonNode demo = table.get("benchmarks").get(0);
        assertEquals(19, demo.get("answered").asInt());
        assertEquals(5, demo.get("figures").size());
        demo.get("figures")
                .forEach(figure -> assertEquals(100, figure.get("ours").asDouble(), figure::toString));
        int tokens = 0;
        for (String line : Files.readAllLines(folder.resolve("out/answers/demo.jsonl"))) {
            tokens += Cli.JSON.readTree(line).get("tokens").asInt();
        }
        assertEquals(309, tokens);
    }

    private static void place(ObjectNode request, JsonNode dialog) {
        if (dialog.get("manner").asText().equals("frames")) {
            request.put("video", "files/" + dialog.get("pictures").get(0).asText())
                    .put("frames", 8);
            return;
        }
        if (dialog.get("manner").asText().equals("separate")) {
            request.put(
                    "prompt",
                    "Image-1: <image>\nImage-2: <image>\n"
                            + request.get("prompt").asText());
        }
        dialog.get("pictures").forEach(picture -> request.withArray("images").add("files/" + picture.asText()));
        if (dialog.get("manner").asText().equals("combined")) {
            request.put("combine", true);
        }
    }

    @Test
    void wrongUsageIsNamed() {
        run("evaluate", "--list").succeeded();
        run("evaluate", "--score", "--out", "x").failed(2, "--data is needed");
        run("evaluate", "--score", "--data", "x", "--benchmarks", "mnist").failed(2, "no benchmark mnist", "MMVP");
        ask("x", SETS, "--shard", "3/3").failed(1, "--shard is 3/3, expected 0/3 to 2/3");
        ask("x", SETS, "--limit", "-1").failed(1, "--limit is -1");
    }
}
