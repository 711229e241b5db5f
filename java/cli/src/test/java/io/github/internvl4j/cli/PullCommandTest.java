package io.github.internvl4j.cli;

import static io.github.internvl4j.cli.Cli.DATA;
import static io.github.internvl4j.cli.Cli.GQA7;
import static io.github.internvl4j.cli.Cli.run;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.cli.Cli.Run;
import io.github.internvl4j.testhub.Served;
import io.github.internvl4j.testhub.TestHub;
import io.github.internvl4j.testhub.TestRepository;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints from a hub on this machine, and their names afterwards. */
class PullCommandTest {
    private static final String NAME = "org/oracle";

    @TempDir
    Path folder;

    private TestHub hub;
    private Map<String, String> environment;

    @BeforeEach
    void open() throws IOException {
        hub = new TestHub();
        environment =
                Map.of("HF_ENDPOINT", hub.endpoint().toString(), "HF_HOME", folder.toString(), "HOME", "/nowhere");
    }

    @AfterEach
    void close() {
        hub.close();
    }

    private TestRepository offer(String oracle) throws IOException {
        TestRepository repository = TestRepository.of(NAME, DATA.resolve(oracle));
        hub.with(repository);
        return repository;
    }

    @ParameterizedTest
    @ValueSource(strings = {"hermes-d128", "hermes-gqa7", "internlm2-tiles", "qwen2-hf"})
    void aPulledCheckpointIsTheFolder(String oracle) throws IOException {
        TestRepository repository = offer(oracle);
        Run pulled = run(environment, "pull", NAME).succeeded();
        Path snapshot = folder.resolve("hub/models--org--oracle/snapshots/" + repository.commit());
        assertEquals(snapshot + System.lineSeparator(), pulled.out());
        assertEquals("", pulled.err());
        try (Stream<Path> files = Files.list(snapshot)) {
            for (Path file : files.toList()) {
                assertTrue(Files.isSymbolicLink(file), file.toString());
                byte[] original = Files.readAllBytes(DATA.resolve(oracle).resolve(file.getFileName()));
                assertArrayEquals(original, Files.readAllBytes(file), file.toString());
            }
        }
        String model = DATA.resolve(oracle).toString();
        for (String[] command : new String[][] {
            {"chat", "--prompt", "Hello", "--max-new-tokens", "8", "--precision", "f32"},
            {"chat", "--prompt", "Hello", "--max-new-tokens", "8", "--precision", "f32", "--no-mmap"},
            {"tokenize", "--text", "Hello"},
            {"detokenize", "6", "100"},
        }) {
            List<String> args = new ArrayList<>(List.of(command));
            args.addAll(List.of("--model", model));
            String expected = run(args).succeeded().out();
            args.set(args.size() - 1, NAME);
            assertEquals(
                    expected,
                    run(environment, args.toArray(String[]::new)).succeeded().out(),
                    command[0]);
        }
        assertTrue(run(environment, "info", "--check", "--model", NAME)
                .succeeded()
                .out()
                .contains("all finite"));
    }

    @Test
    void aSnapshotIsQuantizedAndPreprocessed() throws IOException {
        offer("hermes-gqa7");
        run(environment, "pull", NAME).succeeded();
        Path int8 = folder.resolve("int8");
        run(environment, "quantize", "--model", NAME, "--out", int8.toString()).succeeded();
        try (Stream<Path> files = Files.list(int8)) {
            assertTrue(files.noneMatch(Files::isSymbolicLink), "links would lead nowhere from there");
        }
        String[] ask = {"chat", "--prompt", "Hello", "--max-new-tokens", "8", "--model"};
        run(List.of(ask), int8.toString()).succeeded();
        Path pixels = folder.resolve("pixels.safetensors");
        run(
                        environment,
                        "preprocess",
                        "--model",
                        NAME,
                        "--image",
                        GQA7 + "/images/blocks.png",
                        "--out",
                        pixels.toString())
                .succeeded();
    }

    @Test
    void revisionsHaveNames() throws IOException {
        TestRepository repository = offer("hermes-gqa7").revision("v1");
        String[] ask = {"tokenize", "--text", "Hello", "--model"};
        String at =
                run(environment, "pull", NAME, "--revision", "v1").succeeded().out();
        assertEquals(at, run(environment, "pull", NAME + "@v1").succeeded().out());
        for (String name : List.of(NAME + "@v1", NAME + "@" + repository.commit())) {
            run(environment, ask[0], ask[1], ask[2], ask[3], name).succeeded();
        }
        run(environment, ask[0], ask[1], ask[2], ask[3], NAME)
                .failed(1, "not in the cache", "internvl4j pull " + NAME + "\"");
        run(environment, "pull", NAME + "@v1", "--revision", "v1").failed(2, "--revision");
        run(environment, "pull", NAME, "--revision", "v2").failed(1, "no revision v2");
    }

    @Test
    void nothingIsFetchedUnasked() throws IOException {
        offer("hermes-gqa7");
        run(environment, "chat", "--prompt", "x", "--model", NAME)
                .failed(1, NAME + " is not in the cache " + folder.resolve("hub"), "internvl4j pull " + NAME);
        run(environment, "info", "--model", NAME + "@v1").failed(1, "internvl4j pull " + NAME + "@v1");
        assertEquals(List.of(), hub.requests(""));
        Map<String, String> offline = Map.of(
                "HF_ENDPOINT", hub.endpoint().toString(), "HF_HUB_CACHE", folder.toString(), "HF_HUB_OFFLINE", "1");
        run(offline, "pull", NAME).failed(1, "HF_HUB_OFFLINE");
        assertEquals(List.of(), hub.requests(""));
    }

    @Test
    void whatCannotBeHadIsOneLine() throws IOException {
        run(environment, "pull", NAME)
                .failed(1, "no model " + NAME, hub.endpoint().toString());
        run(environment, "pull", "oracle").failed(1, "'oracle'", "ORG/NAME");
        run(environment, "pull").failed(2, "ORG/NAME");
        offer("hermes-gqa7");
        hub.always("/revision/", answer -> Served.refusal(403, "GatedRepo"));
        run(environment, "pull", NAME).failed(1, "terms", hub.endpoint() + "/" + NAME, "HF_TOKEN");
        run(Map.of("HF_ENDPOINT", "hub"), "pull", NAME).failed(1, "HF_ENDPOINT is 'hub'");
        run(Map.of("HF_TOKEN", "with space"), "pull", NAME).failed(1, "HF_TOKEN");
        // A folder that exists is used whatever the environment says.
        run(Map.of("HF_ENDPOINT", "hub"), "tokenize", "--model", GQA7, "--text", "x")
                .succeeded();
    }

    @Test
    void waitsAreTold() throws IOException {
        offer("hermes-gqa7");
        hub.once("/revision/", answer -> Served.refusal(429, "").with("Retry-After", "0"));
        Run run = run(environment, "pull", NAME).succeeded();
        assertTrue(
                run.err().startsWith("internvl4j: ")
                        && run.err().contains("429")
                        && run.err().lines().count() == 1,
                run.err());
    }

    private Process start(String... args) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                "env",
                "--default-signal=INT,TERM",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-Dorg.bytedeco.javacpp.cacheDir="
                        + System.getProperty("org.bytedeco.javacpp.cacheDir", folder.toString()),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(new File("/dev/null"));
        builder.environment().putAll(environment);
        return builder.start();
    }

    /** A pull that is stuck in the middle of the weights: what came before is on the disk. */
    private Process stuck(TestRepository repository) throws IOException, InterruptedException {
        hub.once("/store/" + repository.sha256("model.safetensors"), answer -> answer.silent(answer.body().length / 2));
        Process process = start("pull", NAME);
        Path part = folder.resolve(
                "hub/models--org--oracle/blobs/" + repository.sha256("model.safetensors") + ".internvl4j.incomplete");
        while (process.isAlive() && (!Files.exists(part) || Files.size(part) == 0)) {
            Thread.sleep(5);
        }
        return process;
    }

    @ParameterizedTest
    @CsvSource({"INT,130", "TERM,143", "KILL,137"})
    void aPullThatIsEndedGoesOn(String signal, int status) throws IOException, InterruptedException {
        TestRepository repository = offer("hermes-gqa7");
        Process process = stuck(repository);
        run(environment, "tokenize", "--text", "x", "--model", NAME).failed(1, "in the cache", "internvl4j pull");
        new ProcessBuilder("kill", "-" + signal, String.valueOf(process.pid()))
                .start()
                .waitFor();
        assertEquals(status, process.waitFor());
        assertEquals("", new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
        hub.forgetRequests();
        run(environment, "pull", NAME).succeeded();
        assertTrue(hub.requests("/store/" + repository.sha256("model.safetensors"))
                .get(0)
                .has("range"));
        String[] ask = {"chat", "--prompt", "Hello", "--max-new-tokens", "8", "--model", NAME};
        String expected = run("chat", "--prompt", "Hello", "--max-new-tokens", "8", "--model", GQA7)
                .succeeded()
                .out();
        assertEquals(expected, run(environment, ask).succeeded().out());
    }
}
