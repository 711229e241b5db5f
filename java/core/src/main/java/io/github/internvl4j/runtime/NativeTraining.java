package io.github.internvl4j.runtime;

import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_training;
import io.github.internvl4j.internal.ivl_training_options;
import io.github.internvl4j.internal.ivl_training_plan;
import java.nio.file.Path;
import org.bytedeco.javacpp.BytePointer;
import org.jspecify.annotations.Nullable;

/** A training in the native runtime. One thread at a time uses it, but for {@link #cancel}. */
public final class NativeTraining implements AutoCloseable {
    private final Handle<ivl_training> handle;

    private NativeTraining(ivl_training pointer) {
        handle = new Handle<>("the training", pointer, internvl4j::ivl_training_free);
    }

    /** What it would need; reads the headers of the weights only. */
    public static TrainingNeeds plan(Path directory, TrainingSettings settings) {
        NativeLibrary.load();
        try (BytePointer folder = NativeLibrary.fileName(directory);
                ivl_training_options options = options(settings);
                ivl_training_plan plan = new ivl_training_plan()) {
            NativeLibrary.check(internvl4j.ivl_training_plan_for(folder, options, plan));
            return needs(plan);
        }
    }

    /** Opens a checkpoint that is to learn. */
    public static NativeTraining open(Path directory, TrainingSettings settings) {
        NativeLibrary.load();
        ivl_training training = new ivl_training();
        try (BytePointer folder = NativeLibrary.fileName(directory);
                ivl_training_options options = options(settings)) {
            NativeLibrary.check(internvl4j.ivl_training_open(folder, options, training));
        }
        return new NativeTraining(training);
    }

    private static ivl_training_options options(TrainingSettings settings) {
        ivl_training_options options = new ivl_training_options();
        internvl4j.ivl_training_options_init(options);
        return options.decoder(settings.decoder())
                .vision(settings.vision())
                .projector(settings.projector())
                .decoder_rank(settings.decoderRank())
                .vision_rank(settings.visionRank())
                .seed(settings.seed())
                .activations(settings.activations().ordinal())
                .keep(settings.keep())
                .threads(settings.threads())
                .most_tokens(settings.most().tokens())
                .most_samples(settings.most().samples())
                .most_images(settings.most().images())
                .memory_limit(settings.memoryLimit())
                .decay(settings.decay())
                .most_norm(settings.mostNorm());
    }

    private static TrainingNeeds needs(ivl_training_plan plan) {
        return new TrainingNeeds(
                plan.weights_mapped() + plan.weights_owned(),
                plan.learning(),
                plan.layer_inputs(),
                plan.intermediates(),
                plan.scratch(),
                plan.total(),
                plan.available(),
                plan.keeps() != 0,
                plan.parameters(),
                plan.learning_parameters(),
                plan.operations_per_token(),
                plan.operations_per_image());
    }

    /** What it was planned to need. */
    public TrainingNeeds needs() {
        try (ivl_training_plan plan = new ivl_training_plan()) {
            handle.call(training -> internvl4j.ivl_training_describe(training, plan));
            return needs(plan);
        }
    }

    /**
     * What the decoder sees of images.
     *
     * @param pixels of all images
     * @param images how many
     * @param numbers that their rows have
     */
    public float[] encode(float[] pixels, int images, int numbers) {
        float[] out = new float[numbers];
        handle.call(training -> internvl4j.ivl_training_encode(training, pixels, images, out, out.length));
        return out;
    }

    /**
     * Adds a sample to the micro-batch.
     *
     * @param tokens its ids
     * @param labels the id where a token is learnt, else -100
     * @param imageToken the id in whose places images' rows stand
     * @param pixels of its images, or null
     * @param features of its images from {@link #encode}, or null
     * @param images how many
     */
    public void add(
            int[] tokens,
            int[] labels,
            int imageToken,
            float @Nullable [] pixels,
            float @Nullable [] features,
            int images) {
        handle.call(training -> internvl4j.ivl_training_add(
                training, tokens, labels, tokens.length, imageToken, pixels, features, images));
    }

    /**
     * A micro-batch's loss.
     *
     * @param mean over its learnt tokens
     * @param learnt how many
     */
    public record Loss(double mean, long learnt) {}

    /** Gathers the micro-batch's gradients, times the weight. */
    public Loss learn(double weight) {
        double[] loss = new double[1];
        long[] learnt = new long[1];
        handle.call(training -> internvl4j.ivl_training_learn(training, weight, loss, learnt));
        return new Loss(loss[0], learnt[0]);
    }

    /** The micro-batch's loss alone. */
    public Loss loss() {
        double[] loss = new double[1];
        long[] learnt = new long[1];
        handle.call(training -> internvl4j.ivl_training_loss(training, loss, learnt));
        return new Loss(loss[0], learnt[0]);
    }

    /**
     * What a step was.
     *
     * @param norm of all gradients
     * @param factor what they were multiplied by
     */
    public record Update(double norm, double factor) {}

    /** Ends the step. */
    public Update update(double rate) {
        double[] norm = new double[1];
        double[] factor = new double[1];
        handle.call(training -> internvl4j.ivl_training_update(training, rate, norm, factor));
        return new Update(norm[0], factor[0]);
    }

    /** Drops what the step has gathered, and samples that were added. */
    public void drop() {
        handle.call(internvl4j::ivl_training_drop);
    }

    /** Ends the call that runs, or else the next one, before its next layer. Any thread. */
    public void cancel() {
        handle.useIfOpen(internvl4j::ivl_training_cancel);
    }

    /** Writes what it would go on from. */
    public void save(Path file, String text) {
        try (BytePointer name = NativeLibrary.fileName(file);
                BytePointer own = NativeLibrary.utf8(text)) {
            handle.call(training -> internvl4j.ivl_training_save(training, name, own));
        }
    }

    /** The text that was saved with a state. */
    public static String savedText(Path file) {
        NativeLibrary.load();
        try (BytePointer name = NativeLibrary.fileName(file)) {
            return NativeLibrary.text(text -> internvl4j.ivl_training_saved_text(name, text));
        }
    }

    /** Goes on from a saved state. */
    public void resume(Path file) {
        try (BytePointer name = NativeLibrary.fileName(file)) {
            handle.call(training -> internvl4j.ivl_training_resume(training, name));
        }
    }

    /** Writes the pairs as PEFT has them. */
    public void writeAdapter(Path directory) {
        try (BytePointer name = NativeLibrary.fileName(directory)) {
            handle.call(training -> internvl4j.ivl_training_write_adapter(training, name));
        }
    }

    /** Writes all weights. */
    public void writeCheckpoint(Path directory) {
        try (BytePointer name = NativeLibrary.fileName(directory)) {
            handle.call(training -> internvl4j.ivl_training_write_checkpoint(training, name));
        }
    }

    @Override
    public void close() {
        handle.close();
    }
}
