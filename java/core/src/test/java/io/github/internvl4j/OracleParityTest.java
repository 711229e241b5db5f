package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The whole path, from images and text to tokens, against the original model. */
class OracleParityTest {
    @TestFactory
    Stream<DynamicTest> everyDialogInF32EqualsTheOriginalAlone() {
        return Oracle.family().flatMap(name -> {
            Oracle oracle = Oracle.load(name);
            return oracle.dialogs().stream()
                    .map(dialog -> dynamicTest(name + " " + dialog.name(), () -> {
                        try (InternVL model = load(oracle, Precision.F32)) {
                            Reply reply = model.generate(oracle.prompt(dialog), oracle.config());
                            assertEquals(dialog.inputIds(), reply.promptTokens());
                            assertEquals(dialog.greedyTokens(), reply.tokens());
                            assertEquals(dialog.response(), reply.text());
                        }
                    }));
        });
    }

    @ParameterizedTest
    @MethodSource("io.github.internvl4j.Oracle#family")
    void everyDialogInF32EqualsTheOriginalAsOneBatch(String name) {
        Oracle oracle = Oracle.load(name);
        List<Prompt> prompts = oracle.dialogs().stream().map(oracle::prompt).toList();
        try (InternVL model = load(oracle, Precision.F32)) {
            List<Reply> replies = model.batch(prompts, oracle.config());
            for (int i = 0; i < prompts.size(); i++) {
                assertEquals(
                        oracle.dialogs().get(i).greedyTokens(), replies.get(i).tokens());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16", "F16"})
    void everyActivationIsWithinItsBound(Precision precision) {
        Oracle.family().map(Oracle::load).forEach(oracle -> {
            try (InternVL model = load(oracle, precision)) {
                oracle.assertActivations(model, precision);
            }
        });
    }

    private static InternVL load(Oracle oracle, Precision precision) {
        return InternVL.load(oracle.directory(), LoadOptions.defaults().precision(precision));
    }
}
