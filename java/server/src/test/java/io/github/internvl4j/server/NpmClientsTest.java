package io.github.internvl4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The clients of src/test/js, npm's {@code openai} and {@code ai}, against servers of this process. Skipped where there is no Node.js 20
 * with npm (Debian: {@code apt-get install nodejs npm}), or where npm does not get the packages that package-lock.json names.
 */
class NpmClientsTest {
    private static final Path SOURCES = Path.of("src", "test", "js");
    private static final Path FOLDER = Path.of("target", "js"); // where the packages go, too

    @Test
    void clientsOfNpmAreContent() throws Exception {
        install();
        Limits.Times brief = Limits.Times.defaults().with(Limits.Wait.ANSWER, Duration.ofSeconds(1));
        try (Fixture open = new Fixture();
                Fixture locked =
                        new Fixture(Fixture.options().apiKeys(List.of("a-secret-key")), Limits.Times.defaults());
                Fixture hurried = new Fixture(Fixture.options(), brief)) {
            Map<String, String> told = Map.of(
                    "INTERNVL4J_URL", open.server.address().toString(),
                    "INTERNVL4J_LOCKED_URL", locked.server.address().toString(),
                    "INTERNVL4J_HURRIED_URL", hurried.server.address().toString(),
                    "INTERNVL4J_PICTURE",
                            Fixture.DEMO
                                    .resolve("samples/three.jpg")
                                    .toAbsolutePath()
                                    .toString());
            Path log = FOLDER.resolve("test.log");
            int status = run(log, told, "npm", "test");
            String said = Files.readString(log);
            assertEquals(0, status, said);
            assertTrue(said.contains("# pass 11"), said);
        }
    }

    private static void install() throws IOException, InterruptedException {
        assumeTrue(
                has("node") && has("npm"),
                "there is no Node.js to run the clients of npm with; Debian: apt-get install nodejs npm");
        Files.createDirectories(FOLDER);
        Path log = FOLDER.resolve("install.log");
        run(log, Map.of(), "node", "--version");
        String version = Files.readString(log).strip();
        assumeTrue(version.matches("v(2\\d|[3-9]\\d).*"), "Node.js is " + version + ", expected v20 or newer");
        try (Stream<Path> sources = Files.list(SOURCES)) {
            for (Path source : sources.filter(Files::isRegularFile).toList()) {
                Files.copy(source, FOLDER.resolve(source.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        assumeTrue(
                run(log, Map.of(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline") == 0,
                "npm did not get the packages: " + Files.readString(log));
    }

    private static boolean has(String command) {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(folder -> new File(folder, command).canExecute());
    }

    private static int run(Path log, Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(FOLDER.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            return process.waitFor(5, TimeUnit.MINUTES) ? process.exitValue() : -1;
        } finally {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
        }
    }
}
