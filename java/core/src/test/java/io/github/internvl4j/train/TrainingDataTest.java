package io.github.internvl4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.tensor.Safetensors;
import io.github.internvl4j.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The data of the training oracle: what the original makes of every line, and in which order. */
class TrainingDataTest {
    static Stream<TrainingOracle> oracles() {
        return TrainingOracle.all();
    }

    @ParameterizedTest
    @MethodSource("oracles")
    void everyLineHasTheOriginalsTokensAndLabelsOrIsRefused(TrainingOracle oracle) {
        ModelInputs inputs = new ModelInputs(oracle.checkpoint(), 0);
        SampleReader reader = inputs.reader(oracle.expected().maxLength(), new FeatureCache(0));
        TrainingSet set = inputs.samples(oracle.meta());
        assertEquals(List.of(), set.problems());
        assertEquals(oracle.expected().samples().size(), set.size());
        for (int i = 0; i < set.size(); i++) {
            TrainingOracle.Sample expected = oracle.expected().samples().get(i);
            try {
                TrainingSample sample = reader.read(set.set(i), set.read(i));
                assertEquals(expected.ids(), boxed(sample.dialog().ids()), expected.name());
                assertEquals(expected.labels(), boxed(sample.dialog().labels()), expected.name());
                assertEquals(expected.learnt(), sample.dialog().learnt(), expected.name());
                assertEquals(expected.imageFlags(), flags(sample), expected.name());
            } catch (BadSampleException e) {
                assertNotNull(expected.refused(), () -> expected.name() + " is refused: " + e.reason());
                String named = set.problem(i, e.reason()).toString();
                assertTrue(
                        named.startsWith(oracle.directory().toAbsolutePath().resolve("data.jsonl") + ":"
                                + (set.line(i) + 1) + ": "),
                        named);
            }
        }
    }

    private static List<Integer> boxed(int[] values) {
        return Arrays.stream(values).boxed().toList();
    }

    /** A flag a tile; one of 0 for the white picture that a text has in the original. */
    private static List<Integer> flags(TrainingSample sample) {
        int tiles = sample.pictures().stream().mapToInt(Picture::tiles).sum();
        return tiles == 0 ? List.of(0) : Collections.nCopies(tiles, 1);
    }

    @ParameterizedTest
    @MethodSource("oracles")
    void pixelsAreTheOriginals(TrainingOracle oracle) throws BadSampleException {
        Path file = oracle.directory().resolve("pixel_values.safetensors");
        Map<String, Tensor> expected = Files.exists(file) ? Safetensors.read(file) : Map.of();
        ModelInputs inputs = new ModelInputs(oracle.checkpoint(), 0);
        SampleReader reader = inputs.reader(oracle.expected().maxLength(), new FeatureCache(0));
        TrainingSet set = inputs.samples(oracle.meta());
        int compared = 0;
        for (int i = 0; i < set.size(); i++) {
            Tensor pixels = expected.get(oracle.expected().samples().get(i).name());
            if (pixels == null) {
                continue;
            }
            List<Float> values = new ArrayList<>();
            for (Picture picture : reader.read(set.set(i), set.read(i)).pictures()) {
                for (float value : inputs.pixels(picture).toArray()) {
                    values.add(value);
                }
            }
            if (!values.isEmpty()) { // a text's white picture is not made
                compared++;
                float[] whole = pixels.toArray();
                assertEquals(whole.length, values.size());
                for (int at = 0; at < whole.length; at++) {
                    assertEquals(whole[at], values.get(at));
                }
            }
        }
        assertEquals(expected.isEmpty(), compared == 0);
    }

    @ParameterizedTest
    @MethodSource("oracles")
    void lengthsAreTheOriginalsEstimates(TrainingOracle oracle) {
        TrainingSet set = new ModelInputs(oracle.checkpoint(), 0).samples(oracle.meta());
        assertEquals(oracle.expected().lengths(), boxed(set.lengths()));
    }

    @ParameterizedTest
    @MethodSource("oracles")
    void ordersAreTheOriginals(TrainingOracle oracle) {
        int[] lengths =
                oracle.expected().lengths().stream().mapToInt(Integer::intValue).toArray();
        for (TrainingOracle.Order order : oracle.expected().orders()) {
            assertEquals(
                    order.order(),
                    boxed(new LengthOrder(lengths, order.microBatch(), order.parts()).of(order.seed())),
                    order.toString());
        }
    }

    @ParameterizedTest
    @MethodSource("oracles")
    void ratesAreTheOriginals(TrainingOracle oracle) {
        TrainingOracle.Run run = oracle.expected().run();
        for (TrainingOracle.Run steps : List.of(run, oracle.expected().lora())) {
            Rates rates = new Rates(steps.steps().size(), run.warmup(), steps.rate());
            for (int step = 0; step < steps.steps().size(); step++) {
                assertEquals(steps.steps().get(step).rate(), rates.of(step), 1e-15);
            }
        }
    }
}
