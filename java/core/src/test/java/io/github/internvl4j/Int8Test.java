package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Eight bits: what they cost in accuracy, and that a checkpoint kept in them is the same model. */
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
        assertThrows(IllegalStateException.class, () -> InternVL.quantize(oracle.directory(), folder, false, progress -> {
            if (progress.stepsDone() == 3) {
                throw new IllegalStateException("enough");
            }
        }));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(), files.toList());
        }
    }

    /** The dialogs of one prompt with its answer behind it: what either model would say at each place of the answer. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theDemosAnswersAgreeWithF32(boolean vision, TestReporter reporter) {
        Agreement agreement = new Agreement();
        try (InternVL exact = DemoModel.load(Precision.F32);
                InternVL bytes = InternVL.load(DemoModel.DIRECTORY, INT8.quantizeVision(vision))) {
            for (DemoModel.Dialog dialog : DemoModel.dialogs()) {
                DemoModel.Turn turn = dialog.turns().get(0);
                List<Integer> answer = bytes.generate(dialog.opening(), DemoModel.CONFIG).tokens();
                agreement.answers(turn.answerIds(), answer);
                Tensor expected = exact.activations(dialog.opening()).tensors().get("logits");
                Tensor actual = bytes.activations(dialog.opening()).tensors().get("logits");
                agreement.logits(expected, actual);
            }
        }
        reporter.publishEntry("int8" + (vision ? " with vision" : ""), agreement.toString());
        assertTrue(agreement.tokens() >= 0.99, agreement::toString);
        assertTrue(agreement.divergence() < 0.05, agreement::toString);
    }

    /** Of an answer's tokens those up to the first other one; of a prompt's last logits their distributions. */
    private static final class Agreement {
        private int same;
        private int all;
        private double divergence;
        private double error;
        private int prompts;

        void answers(List<Integer> expected, List<Integer> actual) {
            int at = 0;
            while (at < Math.min(expected.size(), actual.size()) && expected.get(at).equals(actual.get(at))) {
                at++;
            }
            same += at;
            all += expected.size();
        }

        void logits(Tensor expected, Tensor actual) {
            float[] p = lastRow(expected);
            float[] q = lastRow(actual);
            double logP = logSum(p);
            double logQ = logSum(q);
            double difference = 0;
            double norm = 0;
            for (int i = 0; i < p.length; i++) {
                divergence += Math.exp(p[i] - logP) * ((p[i] - logP) - (q[i] - logQ));
                difference += (double) (p[i] - q[i]) * (p[i] - q[i]);
                norm += (double) p[i] * p[i];
            }
            error += Math.sqrt(difference / norm);
            prompts++;
        }

        double tokens() {
            return (double) same / all;
        }

        double divergence() {
            return divergence / prompts;
        }

        private static float[] lastRow(Tensor logits) {
            long[] shape = logits.shape();
            float[] values = logits.toArray();
            int width = (int) shape[shape.length - 1];
            return Arrays.copyOfRange(values, values.length - width, values.length);
        }

        private static double logSum(float[] logits) {
            double largest = Double.NEGATIVE_INFINITY;
            for (float logit : logits) {
                largest = Math.max(largest, logit);
            }
            double sum = 0;
            for (float logit : logits) {
                sum += Math.exp(logit - largest);
            }
            return largest + Math.log(sum);
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "tokens %.4f of %d, KL divergence %.2e, relative error of the logits %.4f",
                    tokens(), all, divergence(), error / prompts);
        }
    }
}
