package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.github.internvl4j.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The whole path, from pictures and text to tokens, against the original model. */
class OracleParityTest {
    private static final int ANSWER = 24;

    @TestFactory
    Stream<DynamicTest> everyDialogInF32EqualsTheOriginalAlone() {
        return Oracle.names().flatMap(name -> {
            Oracle oracle = Oracle.load(name);
            return oracle.dialogs().stream().map(dialog -> dynamicTest(name + " " + dialog.name(), () -> {
                try (InternVL model = load(oracle, Precision.F32)) {
                    Reply reply = model.generate(oracle.prompt(dialog), GenerationConfig.greedy(ANSWER));
                    assertEquals(dialog.inputIds(), reply.promptTokens());
                    assertEquals(dialog.greedyTokens(), reply.tokens());
                    assertEquals(dialog.response(), reply.text());
                }
            }));
        });
    }

    @ParameterizedTest
    @MethodSource("io.github.internvl4j.Oracle#names")
    void everyDialogInF32EqualsTheOriginalAsOneBatch(String name) {
        Oracle oracle = Oracle.load(name);
        List<Prompt> prompts = oracle.dialogs().stream().map(oracle::prompt).toList();
        try (InternVL model = load(oracle, Precision.F32)) {
            List<Reply> replies = model.batch(prompts, GenerationConfig.greedy(ANSWER));
            for (int i = 0; i < prompts.size(); i++) {
                assertEquals(oracle.dialogs().get(i).greedyTokens(), replies.get(i).tokens());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16", "F16"})
    void everyActivationIsWithinItsBound(Precision precision) {
        Oracle.names().map(Oracle::load).forEach(oracle -> {
            Oracle.Dialog dialog = oracle.dialog("images-separate.0");
            Map<String, Tensor> expected = oracle.activations();
            try (InternVL model = load(oracle, precision)) {
                Activations activations = model.activations(oracle.prompt(dialog));
                assertEquals(dialog.inputIds(), activations.promptTokens());
                assertEquals(
                        dialog.bfloat16Error().keySet(), activations.tensors().keySet());
                activations.tensors().forEach((name, tensor) -> {
                    Tensor reference = expected.get(dialog.name() + "/" + name);
                    double error = tensor.reshape(reference.shape()).relativeError(reference);
                    // 16-bit types: FlashAttention's rule, at most twice the error of PyTorch in bfloat16.
                    double bound = precision == Precision.F32
                            ? 1e-4
                            : 2 * dialog.bfloat16Error().get(name) + 1e-3;
                    assertTrue(error <= bound, name + ": relative error " + error + " over " + bound);
                });
            }
        });
    }

    private static InternVL load(Oracle oracle, Precision precision) {
        return InternVL.load(oracle.directory(), LoadOptions.defaults().precision(precision));
    }
}
