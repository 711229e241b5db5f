package io.github.internvl4j.train;

import io.github.internvl4j.ActivationType;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.Copyable;
import io.github.internvl4j.host.Members;
import io.github.internvl4j.image.Tiling;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a checkpoint is trained. Immutable: every setter returns a changed copy, or an {@link InvalidOptionException} that names what is out of
 * its range. The defaults are those of the original's script for LoRA, whose dropout of 0.05 is not done.
 */
public final class TrainOptions {
    private static final int LARGEST_RANK = 1024;
    private static final int LARGEST_BATCH = 1 << 16;
    private static final long GIBIBYTE = 1L << 30;

    private static final TrainOptions DEFAULTS = new TrainOptions(new Fields());

    /** Mutable only until options are made of it. */
    private static final class Fields extends Copyable<Fields> {
        private Learning decoder = Learning.LORA;
        private Learning vision = Learning.NOTHING;
        private boolean projector = false;
        private int decoderRank = 16;
        private int visionRank = 16;
        private double rate = 1e-5;
        private double decay = 0.05;
        private double warmUp = 0.03;
        private double mostNorm = 1;
        private int epochs = 1;
        private int microBatch = 4;
        private int accumulation = 4;
        private int maxLength = 2048;
        private int maxTiles = 0;
        private long seed = 42;
        private double heldOut = 0;
        private @Nullable Path heldOutData;
        private ActivationType activations = ActivationType.AUTO;
        private Intermediates intermediates = Intermediates.AUTO;
        private int threads = 0;
        private long memoryLimit = 0;
        private long featureMemory = GIBIBYTE;
    }

    private final Fields fields;

    /** Checks the ranges. */
    private TrainOptions(Fields fields) {
        this.fields = fields;
        Objects.requireNonNull(decoder(), "decoder");
        Objects.requireNonNull(vision(), "vision");
        Objects.requireNonNull(activations(), "activations");
        Objects.requireNonNull(intermediates(), "intermediates");
        require(within(decoderRank(), 1, LARGEST_RANK), "decoderRank", decoderRank(), "1 to " + LARGEST_RANK);
        require(within(visionRank(), 1, LARGEST_RANK), "visionRank", visionRank(), "1 to " + LARGEST_RANK);
        require(rate() > 0 && rate() < 1, "rate", rate(), "more than 0, and less than 1");
        require(decay() >= 0 && decay() < 1, "decay", decay(), "at least 0, and less than 1");
        require(warmUp() >= 0 && warmUp() < 1, "warmUp", warmUp(), "a share of the steps, at least 0 and less than 1");
        require(mostNorm() >= 0 && Double.isFinite(mostNorm()), "mostNorm", mostNorm(), "a norm, or 0 for any");
        require(within(epochs(), 1, LARGEST_BATCH), "epochs", epochs(), "1 to " + LARGEST_BATCH);
        require(within(microBatch(), 1, LARGEST_BATCH), "microBatch", microBatch(), "1 to " + LARGEST_BATCH);
        require(within(accumulation(), 1, LARGEST_BATCH), "accumulation", accumulation(), "1 to " + LARGEST_BATCH);
        require(maxLength() >= 2, "maxLength", maxLength(), "at least 2 tokens");
        require(within(maxTiles(), 0, Tiling.LARGEST_MOST), "maxTiles", maxTiles(), "0 to " + Tiling.LARGEST_MOST);
        require(heldOut() >= 0 && heldOut() < 1, "heldOut", heldOut(), "a share of the lines, less than 1");
        require(heldOut() == 0 || heldOutData() == null, "heldOutData", heldOutData(), "none beside a share heldOut");
        require(within(threads(), 0, LARGEST_RANK), "threads", threads(), "0 to " + LARGEST_RANK);
        require(memoryLimit() >= LoadOptions.UNLIMITED, "memoryLimit", memoryLimit(), "bytes, 0 or -1");
        require(featureMemory() >= 0, "featureMemory", featureMemory(), "bytes, or 0");
    }

    private static boolean within(int value, int least, int most) {
        return value >= least && value <= most;
    }

    private static void require(boolean holds, String name, @Nullable Object value, String range) {
        if (!holds) {
            throw new InvalidOptionException(name + " is " + value + ", expected " + range);
        }
    }

    private TrainOptions with(Consumer<Fields> change) {
        Fields changed = fields.copy();
        change.accept(changed);
        return new TrainOptions(changed);
    }

    /** Pairs of rank 16 beside the decoder's layers, all else as it is; one epoch, 16 samples a step. */
    public static TrainOptions defaults() {
        return DEFAULTS;
    }

    /** With something else of the decoder learning; its embeddings and its head belong to it where all learns. */
    public TrainOptions decoder(Learning value) {
        return with(changed -> changed.decoder = value);
    }

    /** With something else of the vision tower learning. */
    public TrainOptions vision(Learning value) {
        return with(changed -> changed.vision = value);
    }

    /** With the projector learning, all of it, or not. */
    public TrainOptions projector(boolean value) {
        return with(changed -> changed.projector = value);
    }

    /** With pairs of another rank beside the decoder's layers. */
    public TrainOptions decoderRank(int value) {
        return with(changed -> changed.decoderRank = value);
    }

    /** With pairs of another rank beside the vision tower's layers. */
    public TrainOptions visionRank(int value) {
        return with(changed -> changed.visionRank = value);
    }

    /** With another rate of learning. */
    public TrainOptions rate(double value) {
        return with(changed -> changed.rate = value);
    }

    /** With another decay of weights. */
    public TrainOptions decay(double value) {
        return with(changed -> changed.decay = value);
    }

    /** With another share of the steps in which the rate grows from 0. */
    public TrainOptions warmUp(double value) {
        return with(changed -> changed.warmUp = value);
    }

    /** With another norm that gradients are scaled down to; 0 for none. */
    public TrainOptions mostNorm(double value) {
        return with(changed -> changed.mostNorm = value);
    }

    /** With the samples taken more or less often. */
    public TrainOptions epochs(int value) {
        return with(changed -> changed.epochs = value);
    }

    /** With another number of samples that are computed together. */
    public TrainOptions microBatch(int value) {
        return with(changed -> changed.microBatch = value);
    }

    /** With another number of micro-batches in a step. */
    public TrainOptions accumulation(int value) {
        return with(changed -> changed.accumulation = value);
    }

    /** With samples cut at another number of tokens. */
    public TrainOptions maxLength(int value) {
        return with(changed -> changed.maxLength = value);
    }

    /** With another number of tiles of an image at most, where its set says nothing; 0 for the checkpoint's. */
    public TrainOptions maxTiles(int value) {
        return with(changed -> changed.maxTiles = value);
    }

    /** With another seed of the order, of the pairs and of what is held out. */
    public TrainOptions seed(long value) {
        return with(changed -> changed.seed = value);
    }

    /** With a share of the lines held out. */
    public TrainOptions heldOut(double value) {
        return with(changed -> changed.heldOut = value);
    }

    /** With a meta file of samples that are held out; null for none. */
    public TrainOptions heldOutData(@Nullable Path value) {
        return with(changed -> changed.heldOutData = value);
    }

    /** With activations of another type. */
    public TrainOptions activations(ActivationType value) {
        return with(changed -> changed.activations = value);
    }

    /** With something else done with what layers compute. */
    public TrainOptions intermediates(Intermediates value) {
        return with(changed -> changed.intermediates = value);
    }

    /** With another number of compute threads; 0 for as many as the process may use. */
    public TrainOptions threads(int value) {
        return with(changed -> changed.threads = value);
    }

    /** With another limit for the memory plan, in bytes; 0 for what the system has available, {@link LoadOptions#UNLIMITED} for none. */
    public TrainOptions memoryLimit(long value) {
        return with(changed -> changed.memoryLimit = value);
    }

    /** With other room, in bytes, for the rows of images from one epoch to the next. */
    public TrainOptions featureMemory(long value) {
        return with(changed -> changed.featureMemory = value);
    }

    /** What of the decoder learns. */
    public Learning decoder() {
        return fields.decoder;
    }

    /** What of the vision tower learns. */
    public Learning vision() {
        return fields.vision;
    }

    /** Whether the projector learns. */
    public boolean projector() {
        return fields.projector;
    }

    /** The rank of pairs beside the decoder's layers. */
    public int decoderRank() {
        return fields.decoderRank;
    }

    /** The rank of pairs beside the vision tower's layers. */
    public int visionRank() {
        return fields.visionRank;
    }

    /** The rate of learning at the end of the warm-up; it falls along half a cosine from there. */
    public double rate() {
        return fields.rate;
    }

    /** The decay of every weight that learns, norms and biases too: it shrinks by this times the rate in a step. */
    public double decay() {
        return fields.decay;
    }

    /** The share of the steps, rounded up to whole ones, in which the rate grows. */
    public double warmUp() {
        return fields.warmUp;
    }

    /** What a step's gradients are scaled down to, in norm; 0: never. */
    public double mostNorm() {
        return fields.mostNorm;
    }

    /** How often each sample is taken. */
    public int epochs() {
        return fields.epochs;
    }

    /** Samples that are computed together, over whose learnt tokens the loss is one mean. */
    public int microBatch() {
        return fields.microBatch;
    }

    /** Micro-batches of a step, each of the same weight. */
    public int accumulation() {
        return fields.accumulation;
    }

    /** Tokens of a sample; what comes behind is cut off. */
    public int maxLength() {
        return fields.maxLength;
    }

    /** Tiles of an image at most, which several images of a sample share; 0: the checkpoint's. */
    public int maxTiles() {
        return fields.maxTiles;
    }

    /** The seed of the order, of the pairs and of what is held out. */
    public long seed() {
        return fields.seed;
    }

    /** The share of the lines that is not learnt. */
    public double heldOut() {
        return fields.heldOut;
    }

    /** A meta file of samples that are not learnt either; or null. */
    public @Nullable Path heldOutData() {
        return fields.heldOutData;
    }

    /** The type of activations; sums, and all that learns, are f32. */
    public ActivationType activations() {
        return fields.activations;
    }

    /** What becomes of what layers compute. */
    public Intermediates intermediates() {
        return fields.intermediates;
    }

    /** Compute threads; 0 for as many as the process may use. */
    public int threads() {
        return fields.threads;
    }

    /** What the memory plan must fit into, in bytes; 0 for what the system has available, {@link LoadOptions#UNLIMITED} for no check. */
    public long memoryLimit() {
        return fields.memoryLimit;
    }

    /**
     * Room, in bytes, for the rows of images: while neither vision tower nor projector learns, images are encoded once for all epochs, as
     * many as fit. It is not in the memory plan of the model.
     */
    public long featureMemory() {
        return fields.featureMemory;
    }

    /** Whether what images look like to the decoder stays. */
    boolean imagesStay() {
        return vision() == Learning.NOTHING && !projector();
    }

    private Members members() {
        return Members.of("decoder", decoder())
                .and("vision", vision())
                .and("projector", projector())
                .and("decoderRank", decoderRank())
                .and("visionRank", visionRank())
                .and("rate", rate())
                .and("decay", decay())
                .and("warmUp", warmUp())
                .and("mostNorm", mostNorm())
                .and("epochs", epochs())
                .and("microBatch", microBatch())
                .and("accumulation", accumulation())
                .and("maxLength", maxLength())
                .and("maxTiles", maxTiles())
                .and("seed", seed())
                .and("heldOut", heldOut())
                .and("heldOutData", heldOutData())
                .and("activations", activations())
                .and("intermediates", intermediates())
                .and("threads", threads())
                .and("memoryLimit", memoryLimit())
                .and("featureMemory", featureMemory());
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof TrainOptions that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    @Override
    public String toString() {
        return "TrainOptions" + members();
    }
}
