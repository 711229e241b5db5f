package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.InvalidOptionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Eight bits: that a checkpoint kept in them is the same model. What they cost in accuracy, {@link AccuracyTest} says. */
class Int8Test {
    private static final LoadOptions INT8 = LoadOptions.defaults().precision(Precision.INT8);

    static Stream<Arguments> everyOracleWithAndWithoutVision() {
        return Oracle.names().flatMap(name -> Stream.of(Arguments.of(name, false), Arguments.of(name, true)));
    }

    @ParameterizedTest
    @MethodSource("everyOracleWithAndWithoutVision")
    void aQuantizedCheckpointIsTheModelQuantizedAtLoad(String name, boolean vision, @TempDir Path folder) {
        Oracle oracle = Oracle.load(name);
        InternVL.quantize(oracle.directory(), folder, vision, progress -> {});
        try (InternVL atLoad = InternVL.load(oracle.directory(), INT8.quantizeVision(vision));
                InternVL kept = InternVL.load(folder)) {
            assertEquals(Precision.INT8, kept.info().precision());
            for (Oracle.Dialog dialog : oracle.dialogs()) {
                Reply expected = atLoad.generate(oracle.prompt(dialog), GenerationConfig.greedy(4));
                Reply actual = kept.generate(oracle.prompt(dialog), GenerationConfig.greedy(4));
                assertEquals(expected.tokens(), actual.tokens());
                assertEquals(expected.logprobs(), actual.logprobs());
            }
        }
        MemoryPlan plan = InternVL.plan(folder, LoadOptions.defaults());
        assertTrue(plan.weightsMapped() > 0);
        assertTrue(InternVL.check(folder, true).ok());
        // In a folder that holds weights, or of a checkpoint that is int8 already, nothing is written.
        assertThrows(
                InvalidOptionException.class, () -> InternVL.quantize(oracle.directory(), folder, vision, p -> {}));
        assertThrows(
                InvalidOptionException.class, () -> InternVL.quantize(folder, folder.resolve("b"), vision, p -> {}));
    }

    @Test
    void stoppedOnTheWayItLeavesNoHalfFile(@TempDir Path folder) throws IOException {
        Oracle oracle = Oracle.load("hermes-gqa7");
        assertThrows(
                IllegalStateException.class,
                () -> InternVL.quantize(oracle.directory(), folder, false, progress -> {
                    if (progress.stepsDone() == 3) {
                        throw new IllegalStateException("enough");
                    }
                }));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(), files.toList());
        }
    }
}
