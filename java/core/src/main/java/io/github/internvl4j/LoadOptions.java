package io.github.internvl4j;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.Members;
import io.github.internvl4j.text.ConversationTemplates;
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

    private static final LoadOptions DEFAULTS = new LoadOptions(
            Precision.AUTO, false, KvCacheType.AUTO, false, Device.AUTO, 0, "none", true, 0, 0, 0, null, progress -> {});

    private final Precision precision;
    private final boolean quantizeVision;
    private final KvCacheType kvCache;
    private final boolean bf16Activations;
    private final Device device;
    private final int threads;
    private final String affinity;
    private final boolean mapWeights;
    private final int contextLength;
    private final long memoryLimit;
    private final int maxBatch;
    private final @Nullable String template;
    private final Consumer<LoadProgress> listener;

    /** Checks the ranges. */
    private LoadOptions(
            Precision precision, boolean quantizeVision, KvCacheType kvCache, boolean bf16Activations, Device device,
            int threads, String affinity, boolean mapWeights, int contextLength, long memoryLimit, int maxBatch,
            @Nullable String template, Consumer<LoadProgress> listener) {
        Objects.requireNonNull(precision, "precision");
        Objects.requireNonNull(kvCache, "kvCache");
        Objects.requireNonNull(device, "device");
        Objects.requireNonNull(affinity, "affinity");
        Objects.requireNonNull(listener, "listener");
        Options.require(threads >= 0 && threads <= 1024, "threads", threads, "0 to 1024");
        Options.require(
                affinity.length() <= LONGEST && AFFINITIES.matcher(affinity).matches(),
                "affinity",
                "'" + affinity + "'",
                "none, auto or processors such as 0,2,4-7, at most " + LONGEST + " characters");
        Options.require(contextLength >= 0, "contextLength", contextLength, "at least 0");
        Options.require(memoryLimit >= UNLIMITED, "memoryLimit", memoryLimit, "bytes, 0 or -1");
        Options.require(maxBatch >= 0, "maxBatch", maxBatch, "at least 0");
        Options.require(
                template == null || ConversationTemplates.names().contains(template),
                "template",
                "'" + template + "'",
                String.join(", ", ConversationTemplates.names()));
        this.precision = precision;
        this.quantizeVision = quantizeVision;
        this.kvCache = kvCache;
        this.bf16Activations = bf16Activations;
        this.device = device;
        this.threads = threads;
        this.affinity = affinity;
        this.mapWeights = mapWeights;
        this.contextLength = contextLength;
        this.memoryLimit = memoryLimit;
        this.maxBatch = maxBatch;
        this.template = template;
        this.listener = listener;
    }

    /** As stored, on the best device, all threads, mapped, checked against the available memory. */
    public static LoadOptions defaults() {
        return DEFAULTS;
    }

    /** With weights of another type. */
    public LoadOptions precision(Precision value) {
        return new LoadOptions(
                value, quantizeVision, kvCache, bf16Activations, device, threads, affinity, mapWeights, contextLength,
                memoryLimit, maxBatch, template, listener);
    }

    /** With the vision tower quantized, too, or not. */
    public LoadOptions quantizeVision(boolean value) {
        return new LoadOptions(
                precision, value, kvCache, bf16Activations, device, threads, affinity, mapWeights, contextLength,
                memoryLimit, maxBatch, template, listener);
    }

    /** With a KV cache of another type. */
    public LoadOptions kvCache(KvCacheType value) {
        return new LoadOptions(
                precision, quantizeVision, value, bf16Activations, device, threads, affinity, mapWeights, contextLength,
                memoryLimit, maxBatch, template, listener);
    }

    /** With activations rounded to bf16 on the CPU, or not. */
    public LoadOptions bf16Activations(boolean value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, value, device, threads, affinity, mapWeights, contextLength, memoryLimit,
                maxBatch, template, listener);
    }

    /** On another device. */
    public LoadOptions device(Device value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, value, threads, affinity, mapWeights, contextLength,
                memoryLimit, maxBatch, template, listener);
    }

    /** With another number of compute threads on the CPU; 0 for as many as the process may use. */
    public LoadOptions threads(int value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, value, affinity, mapWeights, contextLength,
                memoryLimit, maxBatch, template, listener);
    }

    /** With compute threads bound to these processors. */
    public LoadOptions affinity(String value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, threads, value, mapWeights, contextLength,
                memoryLimit, maxBatch, template, listener);
    }

    /** With the files mapped, or read into memory. */
    public LoadOptions mapWeights(boolean value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, threads, affinity, value, contextLength,
                memoryLimit, maxBatch, template, listener);
    }

    /** With another longest conversation in tokens; 0 for the checkpoint's. */
    public LoadOptions contextLength(int value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, threads, affinity, mapWeights, value,
                memoryLimit, maxBatch, template, listener);
    }

    /** With another limit for the memory plan, in bytes; 0 for what the system has available, {@link #UNLIMITED} for none. */
    public LoadOptions memoryLimit(long value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, threads, affinity, mapWeights, contextLength,
                value, maxBatch, template, listener);
    }

    /** With another number of requests together; 0 for as many as fit, up to 8. */
    public LoadOptions maxBatch(int value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, threads, affinity, mapWeights, contextLength,
                memoryLimit, value, template, listener);
    }

    /** With another conversation template, by its name; null for the checkpoint's own. */
    public LoadOptions template(@Nullable String value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, threads, affinity, mapWeights, contextLength,
                memoryLimit, maxBatch, value, listener);
    }

    /** With another listener. */
    public LoadOptions listener(Consumer<LoadProgress> value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, threads, affinity, mapWeights, contextLength,
                memoryLimit, maxBatch, template, value);
    }

    /** The type of weights, and of the KV cache if that has none of its own. */
    public Precision precision() {
        return precision;
    }

    /** Whether {@link Precision#INT8} is for the vision tower's blocks and the projector too. */
    public boolean quantizeVision() {
        return quantizeVision;
    }

    /** The type of the KV cache; on GPUs that of the precision only. */
    public KvCacheType kvCache() {
        return kvCache;
    }

    /**
     * Whether the CPU rounds activations to bf16 where they are multiplied with bf16 weights, and in the vision tower's attention, as
     * GPUs always do: prompts and images are faster on processors with AVX512_BF16, results less exact everywhere; needs weights
     * kept in bf16.
     */
    public boolean bf16Activations() {
        return bf16Activations;
    }

    /** Where to run. */
    public Device device() {
        return device;
    }

    /** Compute threads; 0 for as many as the process may use. */
    public int threads() {
        return threads;
    }

    /**
     * The processors that compute threads on the CPU are bound to: {@code none}, {@code auto} for those that the process may use
     * in their order, or numbers as {@code 0,2,4-7}, one for each thread.
     */
    public String affinity() {
        return affinity;
    }

    /**
     * Whether the files are used through a memory mapping (fast to load, shared between processes); otherwise they are read into
     * memory, which also survives another process truncating them.
     */
    public boolean mapWeights() {
        return mapWeights;
    }

    /** The longest conversation in tokens; 0 for the checkpoint's. */
    public int contextLength() {
        return contextLength;
    }

    /** What the memory plan must fit into, in bytes; 0 for what the system has available, {@link #UNLIMITED} for no check. */
    public long memoryLimit() {
        return memoryLimit;
    }

    /**
     * Requests of {@link InternVL#batch} that are computed together, each with a cache in the memory plan; 0 for as many as fit,
     * up to 8.
     */
    public int maxBatch() {
        return maxBatch;
    }

    /**
     * The conversation template to use whatever the checkpoint says, by one of {@link ConversationTemplates#names}; null for the
     * checkpoint's own.
     */
    public @Nullable String template() {
        return template;
    }

    /** Told after every loaded part, on the loading thread; throw from it to stop loading. */
    public Consumer<LoadProgress> listener() {
        return listener;
    }

    private Members members() {
        return Members
                .of("precision", precision)
                .and("quantizeVision", quantizeVision)
                .and("kvCache", kvCache)
                .and("bf16Activations", bf16Activations)
                .and("device", device)
                .and("threads", threads)
                .and("affinity", affinity)
                .and("mapWeights", mapWeights)
                .and("contextLength", contextLength)
                .and("memoryLimit", memoryLimit)
                .and("maxBatch", maxBatch)
                .and("template", template)
                .and("listener", listener);
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
