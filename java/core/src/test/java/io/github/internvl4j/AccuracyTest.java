package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What narrow types cost against f32: the table of README.md, which {@code scripts/accuracy} prints. */
class AccuracyTest {
    private record Types(Precision precision, VisionPrecision vision, KvCacheType kvCache, boolean bf16Activations) {
        Types(Precision precision, VisionPrecision vision, KvCacheType kvCache) {
            this(precision, vision, kvCache, false);
        }

        LoadOptions options() {
            return LoadOptions.defaults()
                    .precision(precision)
                    .visionPrecision(vision)
                    .kvCache(kvCache)
                    .activations(bf16Activations ? ActivationType.BF16 : ActivationType.F32);
        }

        @Override
        public String toString() {
            return precision
                    + (vision == VisionPrecision.AS_STORED ? "" : " vision in " + vision)
                    + (bf16Activations ? " activations too" : "")
                    + (kvCache == KvCacheType.AUTO ? "" : ", cache " + kvCache);
        }
    }

    static Stream<Types> narrowTypes() {
        return Stream.of(
                new Types(Precision.BF16, VisionPrecision.AS_STORED, KvCacheType.AUTO),
                new Types(Precision.BF16, VisionPrecision.AS_STORED, KvCacheType.AUTO, true),
                new Types(Precision.BF16, VisionPrecision.AS_STORED, KvCacheType.INT8),
                new Types(Precision.INT8, VisionPrecision.AS_STORED, KvCacheType.AUTO),
                new Types(Precision.INT8, VisionPrecision.INT8, KvCacheType.AUTO),
                new Types(Precision.INT8, VisionPrecision.AS_STORED, KvCacheType.INT8),
                new Types(Precision.INT4, VisionPrecision.AS_STORED, KvCacheType.AUTO),
                new Types(Precision.INT4, VisionPrecision.INT8, KvCacheType.AUTO),
                new Types(Precision.INT4, VisionPrecision.INT4, KvCacheType.AUTO));
    }

    /** The first turn of each dialog. */
    @ParameterizedTest
    @MethodSource("narrowTypes")
    void theDemosAnswersAgreeWithF32(Types types) {
        Agreement agreement = agreementOfTheDemo(DemoModel.DIRECTORY, types.options());
        System.out.println("accuracy demo " + types + ": " + agreement);
        boolean four = types.precision() == Precision.INT4;
        assertTrue(agreement.sameTokens() >= (four ? 0.95 : 0.99), agreement::toString);
        assertTrue(agreement.divergence() < (four ? 5e-2 : 1e-3), agreement::toString);
    }

    private static Agreement agreementOfTheDemo(Path directory, LoadOptions options) {
        Agreement agreement = new Agreement();
        try (InternVL exact = DemoModel.load(Precision.F32);
                InternVL narrow = InternVL.load(directory, options)) {
            for (DemoModel.Dialog dialog : DemoModel.dialogs()) {
                List<Integer> answer =
                        narrow.generate(dialog.opening(), DemoModel.CONFIG).tokens();
                agreement.answers(dialog.turns().get(0).answerIds(), answer);
                agreement.logits(exact, narrow, dialog.opening());
            }
        }
        return agreement;
    }

    /** Four bits, calibrated with pictures and questions that are not among the demo's. */
    @ParameterizedTest
    @EnumSource(VisionPrecision.class)
    void calibratedFourBitsAgreeBetter(VisionPrecision vision, @TempDir Path folder) {
        InternVL.quantizeCalibrated(DemoModel.DIRECTORY, folder, vision, otherPrompts(), progress -> {});
        Agreement calibrated = agreementOfTheDemo(folder, LoadOptions.defaults());
        Types types = new Types(Precision.INT4, vision, KvCacheType.AUTO);
        Agreement rounded = agreementOfTheDemo(DemoModel.DIRECTORY, types.options());
        System.out.println("accuracy demo " + types + ", calibrated: " + calibrated);
        assertTrue(calibrated.sameTokens() >= 0.95, calibrated::toString);
        assertTrue(calibrated.sameLikeliest() > rounded.sameLikeliest(), calibrated::toString);
        assertTrue(calibrated.meanError() < rounded.meanError(), calibrated::toString);
    }

    /** A hundred pictures of another program's drawing, each with one of a few questions. */
    private static Iterable<Prompt> otherPrompts() {
        List<String> questions = List.of(
                "Please describe the image shortly.",
                "Please describe the image in detail.",
                "How many objects are there?",
                "What color is the square?",
                "Is there a black star?",
                "Where is the cross?",
                "Please write a poem according to the image.",
                "图中有几个物体？");
        Random random = new Random(7);
        return () -> IntStream.range(0, 100)
                .mapToObj(i -> Prompt.of(
                        questions.get(i % questions.size()),
                        DrawnScene.draw(random).image()))
                .iterator();
    }

    /** Random weights, whose logits lie close together: the hardest case for a greedy choice, and no one's use. */
    @ParameterizedTest
    @MethodSource("narrowTypes")
    void randomModelsLogitsAreNearF32(Types types) {
        Agreement agreement = new Agreement();
        for (String name : Oracle.names().toList()) {
            Oracle oracle = Oracle.load(name);
            try (InternVL exact = InternVL.load(
                            oracle.directory(), LoadOptions.defaults().precision(Precision.F32));
                    InternVL narrow = InternVL.load(oracle.directory(), types.options())) {
                for (Oracle.Dialog dialog : oracle.dialogs()) {
                    Prompt prompt = oracle.prompt(dialog);
                    List<Integer> answer =
                            narrow.generate(prompt, GenerationConfig.greedy(24)).tokens();
                    agreement.answers(dialog.greedyTokens(), answer);
                    agreement.logits(exact, narrow, prompt);
                }
            }
        }
        System.out.println("accuracy random " + types + ": " + agreement);
        // Four bits put each random weight 8 % off, and every layer adds to it.
        boolean four = types.precision() == Precision.INT4;
        assertTrue(agreement.worstError() < (four ? 0.8 : 0.15), agreement::toString);
        assertTrue(agreement.divergence() < (four ? 3 : 0.05), agreement::toString);
    }
}
