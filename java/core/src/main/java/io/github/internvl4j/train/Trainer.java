package io.github.internvl4j.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.TrainingDataException;
import io.github.internvl4j.host.CheckpointFiles;
import io.github.internvl4j.runtime.NativeTraining;
import io.github.internvl4j.runtime.TrainingNeeds;
import io.github.internvl4j.runtime.TrainingSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;

/**
 * Teaches a checkpoint what the dialogs of a meta file say, step by step:
 *
 * <pre>{@code
 * try (Trainer trainer = Trainer.open(checkpoint, Path.of("meta.json"), TrainOptions.defaults().epochs(3))) {
 *     trainer.run(new TrainListener() {
 *         @Override
 *         public void onStep(TrainStep step) {
 *             System.out.println(step.number() + " of " + trainer.steps() + ": " + step.loss());
 *         }
 *     });
 *     trainer.writeAdapter(Path.of("tuned"));
 * }
 * }</pre>
 *
 * <p>The same data, checkpoint and options give the same bits, with any number of threads, in one run or
 * {@linkplain #resume resumed}. One thread at a time uses a trainer; {@link #cancel} may come from any. After an exception it is as it
 * was before the step.
 */
public final class Trainer implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TrainListener NOBODY = new TrainListener() {};

    private final Path checkpoint;
    private final TrainOptions options;
    private final TrainingData data;
    private final Steps steps;
    private final Rates rates;
    private final NativeTraining training;
    private final SampleReader reader;
    private final SampleFeed feed;
    private final TrainPlan plan;
    private final Set<DataProblem> problems = new LinkedHashSet<>();
    private long done;

    private Trainer(Path checkpoint, TrainOptions options, Prepared prepared, NativeTraining training) {
        this.checkpoint = checkpoint;
        this.options = options;
        this.training = training;
        data = prepared.data;
        steps = prepared.steps;
        rates = new Rates(steps.count(), options.warmUp(), options.rate());
        plan = prepared.plan(training.needs());
        FeatureCache features = new FeatureCache(options.imagesStay() ? options.featureMemory() : 0);
        reader = prepared.inputs.reader(prepared.maxLength, features);
        feed = new SampleFeed(prepared.inputs, training, options.imagesStay(), features);
        problems.addAll(data.all().problems());
    }

    /** All that is known before weights are loaded. */
    private static final class Prepared {
        private final ModelInputs inputs;
        private final TrainingData data;
        private final Steps steps;
        private final TrainOptions options;
        private final int maxLength;

        Prepared(Path checkpoint, Path meta, TrainOptions options) {
            this.options = Objects.requireNonNull(options, "options");
            Objects.requireNonNull(checkpoint, "checkpoint");
            Objects.requireNonNull(meta, "meta");
            inputs = new ModelInputs(checkpoint, options.maxTiles());
            data = new TrainingData(inputs, meta, options);
            steps = new Steps(data.learnt().lengths(), options);
            maxLength = Math.min(options.maxLength(), inputs.info().contextLength());
        }

        TrainingSettings settings() {
            return new TrainingSettings(
                    options.decoder().ordinal(),
                    options.vision().ordinal(),
                    (options.projector() ? Learning.ALL : Learning.NOTHING).ordinal(),
                    options.decoderRank(),
                    options.visionRank(),
                    options.seed(),
                    options.activations(),
                    options.intermediates().ordinal() - 1,
                    options.threads(),
                    new TrainingSettings.Most(
                            maxLength,
                            options.microBatch(),
                            Math.multiplyExact(options.microBatch(), data.mostTiles(maxLength))),
                    options.memoryLimit(),
                    options.decay(),
                    options.mostNorm());
        }

        TrainPlan plan(TrainingNeeds needs) {
            double samples = (double) options.microBatch() * options.accumulation();
            double each = data.meanLength(maxLength) * needs.operationsPerToken() + needs.operationsPerImage();
            return new TrainPlan(needs, data.learnt().size(), steps.count(), samples * each);
        }
    }

    /**
     * What a training would take. Reads the data's lines and the headers of the weights.
     *
     * @throws TrainingDataException if the data cannot be used
     * @throws InternVLException if the checkpoint cannot
     */
    public static TrainPlan plan(Path checkpoint, Path meta, TrainOptions options) {
        Prepared prepared = new Prepared(checkpoint, meta, options);
        return prepared.plan(NativeTraining.plan(checkpoint, prepared.settings()));
    }

    /**
     * Opens a checkpoint that is to learn.
     *
     * @param checkpoint its folder, in 16 bits or f32
     * @param meta the file that lists the sets, as the original's training script takes it
     * @throws TrainingDataException if the data cannot be used
     * @throws io.github.internvl4j.error.InsufficientMemoryException if it does not fit
     * @throws InternVLException if the checkpoint cannot be used
     */
    public static Trainer open(Path checkpoint, Path meta, TrainOptions options) {
        Prepared prepared = new Prepared(checkpoint, meta, options);
        return new Trainer(checkpoint, options, prepared, NativeTraining.open(checkpoint, prepared.settings()));
    }

    /** What it takes. */
    public TrainPlan plan() {
        return plan;
    }

    /** How many steps there are in all. */
    public long steps() {
        return steps.count();
    }

    /** How many of them are done. */
    public long done() {
        return done;
    }

    /** Lines that are not learnt, as far as they have been met: those that are no samples at once, those that lack an image later. */
    public List<DataProblem> problems() {
        return List.copyOf(problems);
    }

    /**
     * Does all steps that are left.
     *
     * @throws CancellationException after {@link #cancel}; the step that it came in is undone
     */
    public void run(TrainListener listener) {
        Objects.requireNonNull(listener, "listener");
        problems.forEach(listener::onProblem);
        while (done < steps.count()) {
            listener.onStep(step(listener));
        }
    }

    /**
     * Does the next step.
     *
     * @throws IllegalStateException after the last one
     * @throws CancellationException after {@link #cancel}; the step is undone
     */
    public TrainStep step() {
        return step(NOBODY);
    }

    private TrainStep step(TrainListener listener) {
        if (done >= steps.count()) {
            throw new IllegalStateException("all " + done + " steps are done");
        }
        long begin = System.nanoTime();
        TrainStep.Learnt learnt = undoing(() -> gather(listener));
        double rate = rates.of(done);
        boolean something = !learnt.losses().isEmpty();
        NativeTraining.Update update = something ? training.update(rate) : new NativeTraining.Update(0, 1);
        double epoch = steps.epoch(done);
        done++;
        Duration time = Duration.ofNanos(System.nanoTime() - begin);
        return new TrainStep(learnt, done, epoch, rate, update.norm(), update.factor(), time);
    }

    /** All samples of a step are read before the first is computed: what cannot be read then changes no weight of the others. */
    private TrainStep.Learnt gather(TrainListener listener) {
        List<List<TrainingSample>> batches = new ArrayList<>();
        for (int[] batch : steps.of(done)) {
            List<TrainingSample> samples = read(data.learnt(), batch, listener);
            if (samples.stream().anyMatch(sample -> sample.dialog().learnt() > 0)) {
                batches.add(samples);
            }
        }
        List<Double> losses = new ArrayList<>();
        long tokens = 0;
        long learnt = 0;
        for (List<TrainingSample> batch : batches) {
            batch.forEach(feed::add);
            NativeTraining.Loss loss = training.learn(1.0 / batches.size());
            losses.add(loss.mean());
            tokens += batch.stream()
                    .mapToLong(sample -> sample.dialog().ids().length)
                    .sum();
            learnt += loss.learnt();
        }
        return new TrainStep.Learnt(losses, tokens, learnt);
    }

    /** What fails or is cancelled halfway leaves nothing of the step behind. */
    private <T> T undoing(Supplier<T> work) {
        try {
            return work.get();
        } catch (RuntimeException | Error e) {
            training.drop();
            throw e;
        }
    }

    /** Those of the samples that something is learnt from. */
    private List<TrainingSample> read(TrainingSet set, int[] samples, TrainListener listener) {
        List<TrainingSample> read = new ArrayList<>();
        for (int sample : samples) {
            DataProblem problem;
            try {
                TrainingSample made = reader.read(set.set(sample), set.read(sample));
                if (made.dialog().learnt() > 0) {
                    read.add(made);
                    continue;
                }
                problem = set.problem(
                        sample,
                        "nothing of it is learnt: an answer is empty or missing, has a stop token inside,"
                                + " or is cut off");
            } catch (BadSampleException e) {
                problem = set.problem(sample, e.reason());
            }
            if (problems.add(problem)) {
                listener.onProblem(problem);
            }
        }
        return read;
    }

    /**
     * The mean loss over the learnt tokens of what is held out; empty where nothing is.
     *
     * @throws CancellationException after {@link #cancel}
     */
    public OptionalDouble heldOutLoss() {
        TrainingSet heldOut = data.heldOut();
        return heldOut == null ? OptionalDouble.empty() : undoing(() -> loss(heldOut));
    }

    private OptionalDouble loss(TrainingSet set) {
        double sum = 0;
        long learnt = 0;
        for (int number = 0; number < set.size(); number++) {
            for (TrainingSample sample : read(set, new int[] {number}, NOBODY)) {
                feed.add(sample);
                NativeTraining.Loss loss = training.loss();
                sum += loss.mean() * loss.learnt();
                learnt += loss.learnt();
            }
        }
        return learnt == 0 ? OptionalDouble.empty() : OptionalDouble.of(sum / learnt);
    }

    /** Ends the step or the held-out loss that runs, or else the next one, before its next layer. Any thread. */
    public void cancel() {
        training.cancel();
    }

    /**
     * Writes what {@link #resume} goes on from: one file, which replaces an older one only once it is whole.
     *
     * @throws CheckpointException if it cannot be written
     */
    public void save(Path file) {
        Objects.requireNonNull(file, "file");
        try {
            training.save(
                    file, JSON.writeValueAsString(Map.of("done", done, "data", data.fingerprint(), "order", order())));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What the order of samples and the rates are made of. */
    private String order() {
        return options.microBatch() + " x " + options.accumulation() + " x " + options.epochs() + ", seed "
                + options.seed() + ", rate " + options.rate() + ", warm-up " + options.warmUp() + ", length "
                + options.maxLength();
    }

    /**
     * Goes on from a saved state: the steps that follow give the bits that they would have given in one run.
     *
     * @throws CheckpointException if the file is damaged, or is the state of another checkpoint, of other options or of other data;
     *     nothing has changed then
     */
    public void resume(Path file) {
        Objects.requireNonNull(file, "file");
        StateFile state = StateFile.read(file);
        state.require("data", data.fingerprint(), "is of other data, expected that of the meta file as it was");
        state.require("order", order(), "is of other options");
        long before = state.done(steps.count());
        training.resume(file);
        done = before;
    }

    /** What of a saved state is this class's own. */
    private record StateFile(Path file, JsonNode own) {
        static StateFile read(Path file) {
            try {
                return new StateFile(file, JSON.readTree(NativeTraining.savedText(file)));
            } catch (JsonProcessingException e) {
                throw new CheckpointException(file + ": is not the state of a training", e);
            }
        }

        void require(String field, Object expected, String otherwise) {
            if (!own.path(field).asText().equals(expected.toString())) {
                throw new CheckpointException(
                        file + ": " + otherwise + ": " + own.path(field).asText() + ", expected " + expected);
            }
        }

        long done(long most) {
            JsonNode done = own.path("done");
            if (!done.isIntegralNumber() || done.longValue() < 0 || done.longValue() > most) {
                throw new CheckpointException(file + ": done is " + done + ", expected 0 to " + most + " steps");
            }
            return done.longValue();
        }
    }

    /**
     * Writes the pairs as a folder that PEFT loads, and so do {@link io.github.internvl4j.InternVL#loadAdapter} and
     * {@link io.github.internvl4j.InternVL#merge merge}.
     *
     * @throws InternVLException if more than pairs learns, or the folder cannot be written
     */
    public void writeAdapter(Path directory) {
        Objects.requireNonNull(directory, "directory");
        training.writeAdapter(directory);
    }

    /**
     * Writes the checkpoint with what was learnt, each weight in the type that it is stored in. Pairs are left out.
     *
     * @param directory a new folder, or one without weights
     */
    public void writeCheckpoint(Path directory) {
        Objects.requireNonNull(directory, "directory");
        training.writeCheckpoint(directory);
        CheckpointFiles.copyAllButWeights(checkpoint, directory);
    }

    @Override
    public void close() {
        training.close();
    }
}
