package io.github.internvl4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.ActivationType;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The whole way from a meta file to an adapter. */
class TrainerTest {
    @TempDir
    Path folder;

    static java.util.stream.Stream<TrainingOracle> oracles() {
        return TrainingOracle.all();
    }

    private static TrainingOracle oracle() {
        return TrainingOracle.all().findFirst().orElseThrow();
    }

    private static TrainOptions options() {
        return TrainOptions.defaults()
                .decoderRank(4)
                .microBatch(2)
                .accumulation(2)
                .rate(1e-3)
                .maxLength(oracle().expected().maxLength())
                .activations(ActivationType.F32);
    }

    /** A meta file over some of the oracle's samples, in this order. */
    private Path meta(TrainingOracle oracle, List<String> names) throws IOException {
        List<String> lines = Files.readAllLines(oracle.directory().resolve("data.jsonl"));
        List<String> taken = new ArrayList<>();
        for (String name : names) {
            List<TrainingOracle.Sample> samples = oracle.expected().samples();
            for (int i = 0; i < samples.size(); i++) {
                if (samples.get(i).name().equals(name)) {
                    taken.add(lines.get(i));
                }
            }
        }
        Files.write(folder.resolve("data.jsonl"), taken);
        Path meta = folder.resolve("meta.json");
        Path images = oracle.directory().toAbsolutePath().resolve("images");
        Files.writeString(meta, "{\"some\": {\"root\": \"" + images + "/\", \"annotation\": \"data.jsonl\"}}");
        return meta;
    }

    @ParameterizedTest
    @MethodSource("oracles")
    void everyLineIsLearntOrNamed(TrainingOracle oracle) {
        try (Trainer trainer = Trainer.open(oracle.checkpoint(), oracle.meta(), options())) {
            List<TrainStep> steps = new ArrayList<>();
            List<DataProblem> problems = new ArrayList<>();
            trainer.run(new TrainListener() {
                @Override
                public void onStep(TrainStep step) {
                    steps.add(step);
                }

                @Override
                public void onProblem(DataProblem problem) {
                    problems.add(problem);
                }
            });
            assertEquals(trainer.steps(), steps.size());
            assertEquals(0, steps.get(0).rate());
            assertEquals(problems, trainer.problems());
            assertTrue(steps.stream().allMatch(step -> Double.isFinite(step.loss())));
            long lines = oracle.expected().samples().stream()
                    .filter(sample -> sample.refused() != null || sample.learnt() != null && sample.learnt() == 0)
                    .count();
            assertTrue(problems.size() <= lines, problems.toString());
            assertTrue(problems.size() >= lines - 4, problems.toString()); // what is left over at the end is not met
        }
    }

    @ParameterizedTest
    @MethodSource("oracles")
    void lossesAndNormsAreTheOriginals(TrainingOracle oracle) throws IOException {
        TrainingOracle.Run run = oracle.expected().run();
        // One micro-batch a run, so that the order by length has nothing to change: the first of the first step.
        List<String> order = run.order();
        Path meta = meta(oracle, order.subList(0, run.microBatch()));
        TrainOptions all = options()
                .decoder(Learning.ALL)
                .vision(Learning.ALL)
                .projector(true)
                .microBatch(run.microBatch())
                .accumulation(1);
        try (Trainer trainer = Trainer.open(oracle.checkpoint(), meta, all)) {
            assertEquals(
                    run.steps().get(0).losses().get(0), trainer.step().losses().get(0), 4e-5);
        }
    }

    @Test
    void resumedTrainingGivesTheSameBits() throws IOException {
        TrainOptions options = options().epochs(2);
        Path state = folder.resolve("state");
        byte[] whole = adapter(options.threads(1), trainer -> trainer.run(new TrainListener() {}));
        byte[] resumed = adapter(options.threads(3).intermediates(Intermediates.RECOMPUTE), trainer -> {
            try (Trainer first = Trainer.open(oracle().checkpoint(), oracle().meta(), options)) {
                first.step();
                first.step();
                first.save(state);
            }
            trainer.resume(state);
            assertEquals(2, trainer.done());
            trainer.run(new TrainListener() {});
        });
        assertArrayEquals(whole, resumed);
    }

    private interface Course {
        void run(Trainer trainer);
    }

    private byte[] adapter(TrainOptions options, Course course) throws IOException {
        try (Trainer trainer = Trainer.open(oracle().checkpoint(), oracle().meta(), options)) {
            course.run(trainer);
            trainer.writeAdapter(folder.resolve("adapter"));
            return Files.readAllBytes(folder.resolve("adapter").resolve("adapter_model.safetensors"));
        }
    }

    @Test
    void stateOfOtherOptionsOrDataIsRefused() throws IOException {
        Path state = folder.resolve("state");
        try (Trainer trainer = Trainer.open(oracle().checkpoint(), oracle().meta(), options())) {
            trainer.save(state);
        }
        try (Trainer other =
                Trainer.open(oracle().checkpoint(), oracle().meta(), options().seed(1))) {
            CheckpointException e = assertThrows(CheckpointException.class, () -> other.resume(state));
            assertTrue(e.getMessage().contains("seed 42") && e.getMessage().contains(state.toString()), e.getMessage());
        }
        Path less = meta(oracle(), List.of("image", "text", "box", "rounds"));
        try (Trainer other = Trainer.open(oracle().checkpoint(), less, options())) {
            CheckpointException e = assertThrows(CheckpointException.class, () -> other.resume(state));
            assertTrue(e.getMessage().contains("other data"), e.getMessage());
        }
    }

    @Test
    void cancelledStepIsUndone() {
        try (Trainer trainer = Trainer.open(oracle().checkpoint(), oracle().meta(), options());
                Trainer undisturbed = Trainer.open(oracle().checkpoint(), oracle().meta(), options())) {
            trainer.cancel();
            assertThrows(CancellationException.class, trainer::step);
            assertEquals(0, trainer.done());
            assertEquals(undisturbed.step().losses(), trainer.step().losses());
            assertEquals(undisturbed.step().gradientNorm(), trainer.step().gradientNorm());
        }
    }

    @Test
    void learningLowersTheLoss() throws IOException {
        Path meta = meta(oracle(), List.of("image", "text"));
        TrainOptions options = options().accumulation(1).epochs(12).rate(3e-3).warmUp(0);
        try (Trainer trainer = Trainer.open(oracle().checkpoint(), meta, options)) {
            double first = trainer.step().loss();
            double last = first;
            while (trainer.done() < trainer.steps()) {
                last = trainer.step().loss();
            }
            assertTrue(last < 0.9 * first, first + " then " + last);
        }
    }

    @Test
    void heldOutLinesAreNotLearntAndTheirLossIsKnown() {
        try (Trainer trainer =
                Trainer.open(oracle().checkpoint(), oracle().meta(), options().heldOut(0.3))) {
            assertEquals(12, trainer.plan().samples());
            OptionalDouble loss = trainer.heldOutLoss();
            assertTrue(loss.orElseThrow() > 0);
            assertEquals(loss, trainer.heldOutLoss());
        }
        try (Trainer trainer = Trainer.open(oracle().checkpoint(), oracle().meta(), options())) {
            assertEquals(OptionalDouble.empty(), trainer.heldOutLoss());
        }
    }

    @Test
    void adapterLoadsBesideItsCheckpoint() {
        try (Trainer trainer = Trainer.open(oracle().checkpoint(), oracle().meta(), options())) {
            trainer.run(new TrainListener() {});
            trainer.writeAdapter(folder.resolve("adapter"));
        }
        try (InternVL model = InternVL.load(oracle().checkpoint())) {
            try (var adapter = model.loadAdapter(folder.resolve("adapter"))) {
                assertTrue(adapter.bytes() > 0);
            }
        }
    }

    @Test
    void wholePartsAreWrittenAsACheckpoint() {
        TrainOptions options = options().decoder(Learning.ALL).projector(true);
        try (Trainer trainer = Trainer.open(oracle().checkpoint(), oracle().meta(), options)) {
            trainer.step();
            trainer.step();
            assertThrows(UnsupportedModelException.class, () -> trainer.writeAdapter(folder.resolve("adapter")));
            trainer.writeCheckpoint(folder.resolve("checkpoint"));
        }
        InternVL.load(folder.resolve("checkpoint")).close();
    }

    @Test
    void planIsKnownBefore() {
        TrainPlan plan = Trainer.plan(oracle().checkpoint(), oracle().meta(), options());
        assertTrue(plan.fits());
        assertEquals(plan.learning(), 16 * plan.learningParameters());
        assertTrue(plan.operationsPerStep() > 1e6);
        assertEquals(17, plan.samples());
    }
}
