package io.github.internvl4j;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.text.ConversationTemplates;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How a checkpoint is loaded. Immutable: every setter returns a changed copy.
 *
 * @param precision the type of weights, and of the KV cache if that has none of its own
 * @param quantizeVision {@link Precision#INT8} is for the vision tower's blocks and the projector too
 * @param kvCache the type of the KV cache; on GPUs that of the precision only
 * @param bf16Activations on the CPU, round activations to bf16 where they are multiplied with bf16 weights, and in the vision tower's
 *     attention, as GPUs always do: prompts and images are faster on processors with AVX512_BF16, results less exact everywhere;
 *     needs weights kept in bf16
 * @param device where to run
 * @param threads compute threads; 0 for as many as the process may use
 * @param affinity the processors that compute threads on the CPU are bound to: {@code none}, {@code auto} for those that the
 *     process may use in their order, or numbers as {@code 0,2,4-7}, one for each thread
 * @param mapWeights use the files through a memory mapping (fast to load, shared between processes); false reads them
 *     into memory, which also survives another process truncating the files
 * @param contextLength the longest conversation in tokens; 0 for the checkpoint's
 * @param memoryLimit what the memory plan must fit into, in bytes; 0 for what the system has available,
 *     {@link #UNLIMITED} for no check
 * @param maxBatch requests of {@link InternVL#batch} that are computed together, each with a cache in the memory plan; 0 for as many
 *     as fit, up to 8
 * @param template the conversation template to use whatever the checkpoint says, by one of {@link ConversationTemplates#names}; null
 *     for the checkpoint's own
 * @param listener told after every loaded part, on the loading thread; throw from it to stop loading
 */
public record LoadOptions(
        Precision precision,
        boolean quantizeVision,
        KvCacheType kvCache,
        boolean bf16Activations,
        Device device,
        int threads,
        String affinity,
        boolean mapWeights,
        int contextLength,
        long memoryLimit,
        int maxBatch,
        @Nullable String template,
        Consumer<LoadProgress> listener) {
    /** A memory limit that is never reached. */
    public static final long UNLIMITED = -1;

    private static final Pattern AFFINITIES = Pattern.compile("none|auto|\\d{1,4}(-\\d{1,4})?(,\\d{1,4}(-\\d{1,4})?)*");
    /** Of an affinity: what the native runtime takes. */
    private static final int LONGEST = 255;

    private static final LoadOptions DEFAULTS = new LoadOptions(
            Precision.AUTO, false, KvCacheType.AUTO, false, Device.AUTO, 0, "none", true, 0, 0, 0, null, progress -> {});

    /**
     * Checks the ranges.
     *
     * @throws InvalidOptionException naming the option that is out of its range
     */
    public LoadOptions {
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
    }

    /** As stored, on the best device, all threads, mapped, checked against the available memory. */
    public static LoadOptions defaults() {
        return DEFAULTS;
    }

    public LoadOptions precision(Precision value) {
        return new LoadOptions(
                value, quantizeVision, kvCache, bf16Activations, device, threads, affinity, mapWeights, contextLength,
                memoryLimit, maxBatch, template, listener);
    }

    public LoadOptions quantizeVision(boolean value) {
        return new LoadOptions(
                precision, value, kvCache, bf16Activations, device, threads, affinity, mapWeights, contextLength,
                memoryLimit, maxBatch, template, listener);
    }

    public LoadOptions kvCache(KvCacheType value) {
        return new LoadOptions(
                precision, quantizeVision, value, bf16Activations, device, threads, affinity, mapWeights, contextLength,
                memoryLimit, maxBatch, template, listener);
    }

    public LoadOptions bf16Activations(boolean value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, value, device, threads, affinity, mapWeights, contextLength, memoryLimit,
                maxBatch, template, listener);
    }

    public LoadOptions device(Device value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, value, threads, affinity, mapWeights, contextLength,
                memoryLimit, maxBatch, template, listener);
    }

    public LoadOptions threads(int value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, value, affinity, mapWeights, contextLength,
                memoryLimit, maxBatch, template, listener);
    }

    public LoadOptions affinity(String value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, threads, value, mapWeights, contextLength,
                memoryLimit, maxBatch, template, listener);
    }

    public LoadOptions mapWeights(boolean value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, threads, affinity, value, contextLength,
                memoryLimit, maxBatch, template, listener);
    }

    public LoadOptions contextLength(int value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, threads, affinity, mapWeights, value,
                memoryLimit, maxBatch, template, listener);
    }

    public LoadOptions memoryLimit(long value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, threads, affinity, mapWeights, contextLength,
                value, maxBatch, template, listener);
    }

    public LoadOptions maxBatch(int value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, threads, affinity, mapWeights, contextLength,
                memoryLimit, value, template, listener);
    }

    public LoadOptions template(@Nullable String value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, threads, affinity, mapWeights, contextLength,
                memoryLimit, maxBatch, value, listener);
    }

    public LoadOptions listener(Consumer<LoadProgress> value) {
        return new LoadOptions(
                precision, quantizeVision, kvCache, bf16Activations, device, threads, affinity, mapWeights, contextLength,
                memoryLimit, maxBatch, template, value);
    }
}
