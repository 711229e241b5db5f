package io.github.internvl4j.bench.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.runtime.Machine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Through JMH and its JVM, against a peer that is a script. */
final class TrialRunnerTest {
    private static final Side PEER = new Side(Engine.LLAMA_CPP, Format.BF16, "");

    @TempDir
    private Path folder;

    @BeforeAll
    static void besideOtherBenchmarks() {
        // Nothing is measured here: it may run while JMH does so elsewhere.
        System.setProperty("jmh.ignoreLock", "true");
    }

    private TrialResult against(String script) throws Exception {
        return against(script, Task.decode("tiny", 8), Side.ours(Format.BF16));
    }

    private TrialResult against(String script, Task task, Side ours) throws Exception {
        Path bench = Files.writeString(folder.resolve("llama-bench"), "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(bench, PosixFilePermissions.fromString("rwx------"));
        TrialRunner runner = new TrialRunner(folder, new Machine(1, 1, 1, 1, 1), 3);
        return runner.run(task, ours, PEER, folder.resolve("any.gguf"), bench);
    }

    @Test
    void bothSidesTakeEveryTurn() throws Exception {
        // Its numbers rise with each turn, so that one too many to warm up or a lost one would show.
        TrialResult result = against("""
                cd "$(dirname "$0")" && echo turn >>turns
                n=$(wc -l <turns)
                echo "[{\\"build_number\\": 7, \\"build_commit\\": \\"c\\", \\"n_gen\\": 2, \\"samples_ns\\": [ ${n}000000000 ]}]"
                """);
        assertNull(result.failure());
        assertArrayEquals(new double[] {1, 1.5, 2}, result.peerSeconds());
        assertEquals(3, result.ourSeconds().length);
        assertTrue(Arrays.stream(result.ourSeconds()).allMatch(seconds -> seconds > 0 && seconds < 1));
        assertTrue(result.peerSettings().startsWith("build 7 (c), -t 1"), result.peerSettings());
        assertTrue(result.ourShare() > 0);
    }

    @Test
    void oursRoundsItsActivationsIfAsked() throws Exception {
        String script = "echo '[{\"build_number\": 7, \"build_commit\": \"c\", \"n_gen\": 0, \"samples_ns\": [ 1 ]}]'";
        for (Task task : List.of(Task.prefill("tiny", 8), Task.matmul(4, 8, 8))) {
            TrialResult result = against(script, task, Side.oursWithBf16Activations());
            assertNull(result.failure());
            assertEquals(3, result.ourSeconds().length);
            boolean hasModel = task.kind() != Task.Kind.MATMUL;
            assertEquals(hasModel, result.ourSettings().contains("bf16 activations"), result.ourSettings());
        }
    }

    @Test
    void aPeerThatFailsIsNamedWithItsReason() throws Exception {
        TrialResult result = against("exit 3");
        assertTrue(result.failure().endsWith("llama-bench ended with status 3"), result.failure());
        assertEquals(0, result.ourSeconds().length);
    }
}
