package io.github.internvl4j.cli;

import io.github.internvl4j.ActivationType;
import io.github.internvl4j.cli.training.TrainingLog;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.train.DataProblem;
import io.github.internvl4j.train.Intermediates;
import io.github.internvl4j.train.TrainListener;
import io.github.internvl4j.train.TrainOptions;
import io.github.internvl4j.train.TrainPlan;
import io.github.internvl4j.train.TrainStep;
import io.github.internvl4j.train.Trainer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** A checkpoint taught what dialogs say. */
@Command(
        name = "train",
        description = {
            "Teaches a checkpoint what the dialogs of a meta file say, in the format and with the steps of the original's",
            "fine-tuning script, and writes an adapter that PEFT, --adapter and merge take; where whole parts learn, a checkpoint.",
            "The same command with --resume goes on where it was ended, with the same bits."
        },
        footer = {
            "",
            "The folder --out gets the result, and training/ with log.jsonl, loss.svg and the state to go on from. Exit status 1 if",
            "lines could not be learnt, which are named; the rest is.",
            "",
            "Examples:",
            "  internvl4j train --model DIR --data meta.json --out TUNED --plan",
            "  internvl4j train --model DIR --data meta.json --out TUNED --epochs 3 --rate 1e-4 --held-out 0.05",
            "  internvl4j chat --model DIR --adapter TUNED"
        })
final class TrainCommand implements Callable<Integer> {
    private static final double MEBIBYTE = 1 << 20;

    @ParentCommand
    private Main main;

    @Option(names = "--model", required = true, paramLabel = "MODEL", description = ModelFolder.DESCRIPTION)
    private ModelFolder model;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "META",
            description = "The meta file: JSON with a name, root and annotation for each set.")
    private Path data;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "A new folder, or that of a training to go on with.")
    private Path out;

    @Mixin
    private TrainLearning learning;

    @Mixin
    private TrainSchedule schedule;

    @Option(
            names = "--held-out",
            defaultValue = "0",
            paramLabel = "SHARE",
            description = "Share of the lines that is not learnt and whose loss is told (default: 0).")
    private double heldOut;

    @Option(names = "--held-out-data", paramLabel = "META", description = "Or another meta file whose loss is told.")
    private @Nullable Path heldOutData;

    @Option(
            names = "--activations",
            defaultValue = "auto",
            paramLabel = "T",
            description = "f32, bf16, or auto for what this processor does faster (default).")
    private ActivationType activations;

    @Option(
            names = "--intermediates",
            defaultValue = "auto",
            paramLabel = "HOW",
            description = "What layers compute: keep, recompute, or auto for keep if it fits (default). The same bits.")
    private Intermediates intermediates;

    @Option(
            names = "--threads",
            defaultValue = "0",
            paramLabel = "N",
            description = "0: all that the process may use (default).")
    private int threads;

    @Option(
            names = "--memory-limit",
            defaultValue = "0",
            paramLabel = "BYTES",
            description = "What the plan must fit into; 0: what is available (default), -1: no check.")
    private long memoryLimit;

    @Option(
            names = "--save-every",
            defaultValue = "50",
            paramLabel = "STEPS",
            description =
                    "How often the state is saved and the held-out loss told (default: 50); the last time at the end.")
    private int saveEvery;

    @Option(names = "--resume", description = "Go on from the state in --out, if there is one.")
    private boolean resume;

    @Option(names = "--plan", description = "Tell what it would take, and do nothing.")
    private boolean planOnly;

    @Override
    public Integer call() throws IOException {
        if (saveEvery < 1) {
            throw new InvalidOptionException("--save-every is " + saveEvery + ", expected at least 1");
        }
        TrainOptions options = options();
        if (planOnly) {
            tell(Trainer.plan(model.path(), data, options), main.streams.out()::println);
            return 0;
        }
        Path folder = out.resolve("training");
        Path state = folder.resolve("state.safetensors");
        boolean goesOn = resume && Files.exists(state);
        if (!goesOn && Files.exists(state)) {
            throw new InvalidOptionException("--out has the state of a training, " + state
                    + ": expected --resume to go on with it, or a new folder");
        }
        try (Trainer trainer = Trainer.open(model.path(), data, options)) {
            tell(trainer.plan(), main.streams.err()::println);
            Files.createDirectories(folder);
            if (goesOn) {
                trainer.resume(state);
            }
            return run(trainer, folder);
        }
    }

    private TrainOptions options() {
        return schedule.of(learning.of(TrainOptions.defaults()))
                .heldOut(heldOut)
                .heldOutData(heldOutData)
                .activations(activations)
                .intermediates(intermediates)
                .threads(threads)
                .memoryLimit(memoryLimit);
    }

    private static void tell(TrainPlan plan, Consumer<String> printer) {
        printer.accept(String.format(
                Locale.ROOT,
                "%d samples, %d steps; %,d of %,d parameters learn",
                plan.samples(),
                plan.steps(),
                plan.learningParameters(),
                plan.parameters()));
        printer.accept(String.format(
                Locale.ROOT,
                "memory: %.0f MiB (weights %.0f, what learns %.0f, layers' inputs %.0f, intermediates %.0f%s, scratch %.0f) of %.0f",
                plan.total() / MEBIBYTE,
                plan.weights() / MEBIBYTE,
                plan.learning() / MEBIBYTE,
                plan.layerInputs() / MEBIBYTE,
                plan.intermediates() / MEBIBYTE,
                plan.keepsIntermediates() ? ", kept" : ", computed again",
                plan.scratch() / MEBIBYTE,
                plan.available() / MEBIBYTE));
        printer.accept(String.format(
                Locale.ROOT,
                "disk: %.1f MiB and %.1f for the state; %.3g floating-point operations a step",
                plan.adapterBytes() / MEBIBYTE,
                plan.stateBytes() / MEBIBYTE,
                plan.operationsPerStep()));
    }

    private int run(Trainer trainer, Path folder) throws IOException {
        try (TrainingLog log = new TrainingLog(folder.resolve("log.jsonl"), trainer.done());
                Interrupts interrupts = new Interrupts(trainer::cancel)) {
            Course course = new Course(trainer, folder, log);
            try {
                course.begin();
                trainer.run(course);
            } catch (CancellationException e) {
                course.save();
                main.streams.err().println("ended after step " + trainer.done() + "; --resume goes on there");
                return interrupts.status() == 0 ? 1 : interrupts.status();
            } catch (UncheckedIOException e) {
                throw Objects.requireNonNull(e.getCause());
            }
        }
        return write(trainer);
    }

    private int write(Trainer trainer) {
        if (learning.pairsAlone()) {
            trainer.writeAdapter(out);
        } else {
            trainer.writeCheckpoint(out);
        }
        main.streams.out().println((learning.pairsAlone() ? "adapter in " : "checkpoint in ") + out);
        int problems = trainer.problems().size();
        if (problems > 0) {
            main.streams.err().println("internvl4j: " + problems + " lines were not learnt, named above");
        }
        return problems > 0 ? 1 : 0;
    }

    /** What is told and saved on the way. */
    private final class Course implements TrainListener {
        private final Trainer trainer;
        private final Path folder;
        private final TrainingLog log;
        private final TrainProgress progress;

        Course(Trainer trainer, Path folder, TrainingLog log) {
            this.trainer = trainer;
            this.folder = folder;
            this.log = log;
            progress = new TrainProgress(trainer, main.streams.err());
        }

        void begin() throws IOException {
            if (trainer.done() == 0) {
                tellHeldOut();
            }
        }

        @Override
        public void onStep(TrainStep step) {
            try {
                log.step(step);
                progress.accept(step);
                if (trainer.done() % saveEvery == 0 || trainer.done() == trainer.steps()) {
                    tellHeldOut();
                    save();
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void onProblem(DataProblem problem) {
            main.streams.err().println("internvl4j: not learnt: " + Failures.oneLine(problem.toString()));
            try {
                log.problem(problem);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private void tellHeldOut() throws IOException {
            OptionalDouble loss = trainer.heldOutLoss();
            if (loss.isPresent()) {
                log.heldOut(trainer.done(), loss.getAsDouble());
                main.streams
                        .err()
                        .println(String.format(
                                Locale.ROOT, "step %d: held-out loss %.4f", trainer.done(), loss.getAsDouble()));
            }
        }

        void save() throws IOException {
            trainer.save(folder.resolve("state.safetensors"));
            Files.writeString(folder.resolve("loss.svg"), log.curve().svg());
        }
    }
}
