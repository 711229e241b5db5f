package io.github.internvl4j;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.Copyable;
import io.github.internvl4j.host.Members;
import io.github.internvl4j.text.ConversationTemplates;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How a checkpoint is loaded. Immutable: every setter returns a changed copy, or an {@link InvalidOptionException} that names
 * what is out of its range.
 */
public final class LoadOptions {
    /** A memory limit that is never reached. */
    public static final long UNLIMITED = -1;

    private static final Pattern AFFINITIES = Pattern.compile("none|auto|\\d{1,4}(-\\d{1,4})?(,\\d{1,4}(-\\d{1,4})?)*");
    /** Of an affinity: what the native runtime takes. */
    private static final int LONGEST = 255;

    private static final LoadOptions DEFAULTS = new LoadOptions(new Fields());

    /** Mutable only until options are made of it. */
    private static final class Fields extends Copyable<Fields> {
        private Precision precision = Precision.AUTO;
        private VisionPrecision visionPrecision = VisionPrecision.AS_STORED;
        private KvCacheType kvCache = KvCacheType.AUTO;
        private ActivationType activations = ActivationType.AUTO;
        private Device device = Device.AUTO;
        private int threads = 0;
        private String affinity = "none";
        private boolean mapWeights = true;
        private int contextLength = 0;
        private long memoryLimit = 0;
        private long kvMemory = 0;
        private int maxBatch = 0;
        private @Nullable String template;
        private @Nullable Path draft;
        private Consumer<LoadProgress> listener = progress -> {};
    }

    private final Fields fields;

    /** Checks the ranges. */
    private LoadOptions(Fields fields) {
        this.fields = fields;
        Objects.requireNonNull(precision(), "precision");
        Objects.requireNonNull(visionPrecision(), "visionPrecision");
        Objects.requireNonNull(kvCache(), "kvCache");
        Objects.requireNonNull(activations(), "activations");
        Objects.requireNonNull(device(), "device");
        Objects.requireNonNull(affinity(), "affinity");
        Objects.requireNonNull(listener(), "listener");
        Options.require(threads() >= 0 && threads() <= 1024, "threads", threads(), "0 to 1024");
        Options.require(
                affinity().length() <= LONGEST && AFFINITIES.matcher(affinity()).matches(),
                "affinity",
                "'" + affinity() + "'",
                "none, auto or processors such as 0,2,4-7, at most " + LONGEST + " characters");
        Options.require(contextLength() >= 0, "contextLength", contextLength(), "at least 0");
        Options.require(memoryLimit() >= UNLIMITED, "memoryLimit", memoryLimit(), "bytes, 0 or -1");
        Options.require(kvMemory() >= 0, "kvMemory", kvMemory(), "bytes, or 0");
        Options.require(maxBatch() >= 0, "maxBatch", maxBatch(), "at least 0");
        String named = template();
        Options.require(
                named == null || ConversationTemplates.names().contains(named),
                "template",
                "'" + named + "'",
                String.join(", ", ConversationTemplates.names()));
    }

    private LoadOptions with(Consumer<Fields> change) {
        Fields changed = fields.copy();
        change.accept(changed);
        return new LoadOptions(changed);
    }

    /** As stored, on the best device, all threads, mapped, checked against the available memory. */
    public static LoadOptions defaults() {
        return DEFAULTS;
    }

    /** With weights of another type. */
    public LoadOptions precision(Precision value) {
        return with(changed -> changed.precision = value);
    }

    /** With the vision tower in 8 bits, too, or as it is stored. */
    public LoadOptions quantizeVision(boolean value) {
        return visionPrecision(value ? VisionPrecision.INT8 : VisionPrecision.AS_STORED);
    }

    /** With the vision tower of another type where the decoder is quantized. */
    public LoadOptions visionPrecision(VisionPrecision value) {
        return with(changed -> changed.visionPrecision = value);
    }

    /** With a KV cache of another type. */
    public LoadOptions kvCache(KvCacheType value) {
        return with(changed -> changed.kvCache = value);
    }

    /** With activations of another type on the CPU. */
    public LoadOptions activations(ActivationType value) {
        return with(changed -> changed.activations = value);
    }

    /** On another device. */
    public LoadOptions device(Device value) {
        return with(changed -> changed.device = value);
    }

    /** With another number of compute threads on the CPU; 0 for as many as the process may use. */
    public LoadOptions threads(int value) {
        return with(changed -> changed.threads = value);
    }

    /** With compute threads bound to these processors. */
    public LoadOptions affinity(String value) {
        return with(changed -> changed.affinity = value);
    }

    /** With the files mapped, or read into memory. */
    public LoadOptions mapWeights(boolean value) {
        return with(changed -> changed.mapWeights = value);
    }

    /** With another longest conversation in tokens; 0 for the checkpoint's. */
    public LoadOptions contextLength(int value) {
        return with(changed -> changed.contextLength = value);
    }

    /** With another limit for the memory plan, in bytes; 0 for what the system has available, {@link #UNLIMITED} for none. */
    public LoadOptions memoryLimit(long value) {
        return with(changed -> changed.memoryLimit = value);
    }

    /**
     * With so many bytes for the KV caches of all requests together; 0 for those of one full context and of {@link #maxBatch} requests.
     * More of them can be computed at once, and more of what was computed is kept, if there is more.
     */
    public LoadOptions kvMemory(long value) {
        return with(changed -> changed.kvMemory = value);
    }

    /** With another number of requests together; 0 for as many as fit, up to 8. */
    public LoadOptions maxBatch(int value) {
        return with(changed -> changed.maxBatch = value);
    }

    /** With another conversation template, by its name; null for the checkpoint's own. */
    public LoadOptions template(@Nullable String value) {
        return with(changed -> changed.template = value);
    }

    /**
     * With a smaller checkpoint that guesses what the model will say; null for none. Answers are the same, bit for bit, and come faster
     * where it is right often enough. It must have the model's tokenizer; any member of the family may be one. It is loaded like the
     * model, with a KV cache of its own for {@link #maxBatch} requests, and reads the text of a conversation, not its images.
     */
    public LoadOptions draft(@Nullable Path value) {
        return with(changed -> changed.draft = value);
    }

    /** With another listener. */
    public LoadOptions listener(Consumer<LoadProgress> value) {
        return with(changed -> changed.listener = value);
    }

    /** The type of weights, and of the KV cache if that has none of its own. */
    public Precision precision() {
        return fields.precision;
    }

    /** Whether {@link Precision#INT8} or {@link Precision#INT4} quantizes the vision tower's blocks and the projector too. */
    public boolean quantizeVision() {
        return visionPrecision() != VisionPrecision.AS_STORED;
    }

    /** What {@link Precision#INT8} and {@link Precision#INT4} make of the vision tower's blocks and of the projector. */
    public VisionPrecision visionPrecision() {
        return fields.visionPrecision;
    }

    /** The type of the KV cache; on GPUs that of the precision only. */
    public KvCacheType kvCache() {
        return fields.kvCache;
    }

    /** The type of activations on the CPU. */
    public ActivationType activations() {
        return fields.activations;
    }

    /** Bytes for the KV caches of all requests together; 0: as {@link #contextLength} and {@link #maxBatch} come to. */
    public long kvMemory() {
        return fields.kvMemory;
    }

    /** Where to run. */
    public Device device() {
        return fields.device;
    }

    /** Compute threads; 0 for as many as the process may use. */
    public int threads() {
        return fields.threads;
    }

    /**
     * The processors that compute threads on the CPU are bound to: {@code none}, {@code auto} for those that the process may use
     * in their order, or numbers as {@code 0,2,4-7}, one for each thread.
     */
    public String affinity() {
        return fields.affinity;
    }

    /**
     * Whether the files are used through a memory mapping (fast to load, shared between processes); otherwise they are read into
     * memory, which also survives another process truncating them.
     */
    public boolean mapWeights() {
        return fields.mapWeights;
    }

    /** The longest conversation in tokens; 0 for the checkpoint's. */
    public int contextLength() {
        return fields.contextLength;
    }

    /** What the memory plan must fit into, in bytes; 0 for what the system has available, {@link #UNLIMITED} for no check. */
    public long memoryLimit() {
        return fields.memoryLimit;
    }

    /**
     * Requests of {@link InternVL#batch} that are computed together, each with a cache in the memory plan; 0 for as many as fit,
     * up to 8.
     */
    public int maxBatch() {
        return fields.maxBatch;
    }

    /**
     * The conversation template to use whatever the checkpoint says, by one of {@link ConversationTemplates#names}; null for the
     * checkpoint's own.
     */
    public @Nullable String template() {
        return fields.template;
    }

    /** The folder of a smaller checkpoint that guesses what the model will say, or null. */
    public @Nullable Path draft() {
        return fields.draft;
    }

    /** Told after every loaded part of the model, on the loading thread; throw from it to stop loading. */
    public Consumer<LoadProgress> listener() {
        return fields.listener;
    }

    private Members members() {
        return Members.of("precision", precision())
                .and("visionPrecision", visionPrecision())
                .and("kvCache", kvCache())
                .and("activations", activations())
                .and("device", device())
                .and("threads", threads())
                .and("affinity", affinity())
                .and("mapWeights", mapWeights())
                .and("contextLength", contextLength())
                .and("memoryLimit", memoryLimit())
                .and("kvMemory", kvMemory())
                .and("maxBatch", maxBatch())
                .and("template", template())
                .and("draft", draft())
                .and("listener", listener());
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof LoadOptions that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    @Override
    public String toString() {
        return "LoadOptions" + members();
    }
}
