package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.PromptException;
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

/** Eight and four bits: that a checkpoint kept in them is the same model. What they cost in accuracy, {@link AccuracyTest} says. */
class QuantizedTest {
    static Stream<Arguments> everyOracleInEveryFormat() {
        return Oracle.names()
                .flatMap(name -> Stream.of(
                        Arguments.of(name, Precision.INT8, VisionPrecision.AS_STORED),
                        Arguments.of(name, Precision.INT8, VisionPrecision.INT8),
                        Arguments.of(name, Precision.INT4, VisionPrecision.AS_STORED),
                        Arguments.of(name, Precision.INT4, VisionPrecision.INT4)));
    }

    @ParameterizedTest
    @MethodSource("everyOracleInEveryFormat")
    void aQuantizedCheckpointIsTheModelQuantizedAtLoad(
            String name, Precision precision, VisionPrecision vision, @TempDir Path folder) {
        LoadOptions quantizing = LoadOptions.defaults().precision(precision).visionPrecision(vision);
        Oracle oracle = Oracle.load(name);
        InternVL.quantize(oracle.directory(), folder, precision, vision, progress -> {});
        try (InternVL atLoad = InternVL.load(oracle.directory(), quantizing);
                InternVL kept = InternVL.load(folder)) {
            assertEquals(precision, kept.info().precision());
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
        // In a folder that holds weights, or of a checkpoint that is quantized already, nothing is written.
        assertThrows(
                InvalidOptionException.class,
                () -> InternVL.quantize(oracle.directory(), folder, precision, vision, p -> {}));
        assertThrows(
                InvalidOptionException.class,
                () -> InternVL.quantize(folder, folder.resolve("b"), precision, vision, p -> {}));
    }

    @Test
    void whatIsNoQuantizedPrecisionIsRefused(@TempDir Path folder) {
        Path model = Oracle.load("hermes-gqa7").directory();
        InvalidOptionException refused = assertThrows(
                InvalidOptionException.class,
                () -> InternVL.quantize(model, folder, Precision.BF16, VisionPrecision.AS_STORED, p -> {}));
        assertEquals("precision is BF16, expected INT8 or INT4", refused.getMessage());
    }

    @Test
    void aCalibrationNeedsPromptsThatCanBeRead(@TempDir Path folder) {
        Path model = Oracle.load("hermes-gqa7").directory();
        Prompt tooLong = Prompt.of("word ".repeat(100_000));
        PromptException refused = assertThrows(
                PromptException.class,
                () -> InternVL.quantizeCalibrated(
                        model, folder, VisionPrecision.AS_STORED, List.of(Prompt.of("Hello"), tooLong), p -> {}));
        assertTrue(
                String.valueOf(refused.getMessage()).startsWith("prompt 2 of the calibration: the prompt has"),
                refused::getMessage);
        PromptException none = assertThrows(
                PromptException.class,
                () -> InternVL.quantizeCalibrated(model, folder, VisionPrecision.AS_STORED, List.of(), p -> {}));
        assertEquals("the calibration has no prompts, expected at least one", none.getMessage());
    }

    @Test
    void aCalibrationThatWasStoppedGoesOn(@TempDir Path folder) throws IOException {
        Oracle oracle = Oracle.load("hermes-gqa7");
        List<Prompt> prompts = oracle.dialogs().stream().map(oracle::prompt).toList();
        Path work = folder.resolve("calibration");
        assertThrows(
                IllegalStateException.class,
                () -> InternVL.quantizeCalibrated(
                        oracle.directory(), folder, VisionPrecision.AS_STORED, prompts, progress -> {
                            throw new IllegalStateException("enough");
                        }));
        assertTrue(Files.exists(work.resolve("layer-0.safetensors")));
        InternVL.quantizeCalibrated(oracle.directory(), folder, VisionPrecision.AS_STORED, prompts, progress -> {});
        assertTrue(Files.notExists(work));
        try (InternVL kept = InternVL.load(folder)) {
            assertEquals(Precision.INT4, kept.info().precision());
        }
    }

    @Test
    void oneFormatIsNotMadeOfAnother(@TempDir Path folder) {
        InternVL.quantize(
                Oracle.load("hermes-gqa7").directory(), folder, Precision.INT4, VisionPrecision.AS_STORED, p -> {});
        InvalidOptionException refused = assertThrows(
                InvalidOptionException.class,
                () -> InternVL.load(folder, LoadOptions.defaults().precision(Precision.INT8)));
        assertTrue(
                refused.getMessage().contains("decoder is stored in int4, and int8 was asked for"),
                refused::getMessage);
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
