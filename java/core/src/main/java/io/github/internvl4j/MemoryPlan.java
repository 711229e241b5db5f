package io.github.internvl4j;

import io.github.internvl4j.runtime.MemoryNeeds;
import org.jspecify.annotations.Nullable;

/** What a model needs, in bytes, known before it is loaded. */
public final class MemoryPlan {
    private final MemoryNeeds needs;

    MemoryPlan(MemoryNeeds needs) {
        this.needs = needs;
    }

    /** Weights that are read in place from the files; the system may drop and re-read these pages. */
    public long weightsMapped() {
        return needs.weightsMapped();
    }

    /** Weights that are converted, or read into memory. */
    public long weightsOwned() {
        return needs.weightsOwned();
    }

    /** What type the KV cache would have. */
    public KvCacheType kvCacheType() {
        return needs.kvCacheType();
    }

    /** The KV cache of one token of one sequence. */
    public long kvCachePerToken() {
        return needs.kvCachePerToken();
    }

    /** The KV cache of one sequence of the full context. */
    public long kvCache() {
        return needs.kvCache();
    }

    /**
     * KV caches of the further requests of a batch (of {@link LoadOptions#maxBatch()} all but one), each of an image, a question
     * and an answer of 1,024 tokens; a request that needs more is given more if it is there at that time.
     */
    public long kvCacheBatch() {
        return needs.kvCacheBatch();
    }

    /** How many requests together {@link #kvCacheBatch} is for. */
    public int maxBatch() {
        return needs.maxBatch();
    }

    /** Activations of a chunk of prompt, and the kernels' own. */
    public long scratch() {
        return needs.scratch();
    }

    /** Pixels and activations of the images that are encoded together. */
    public long imageBatch() {
        return needs.imageBatch();
    }

    /** How many images are encoded together. */
    public int imagesTogether() {
        return needs.imagesTogether();
    }

    /** What the {@linkplain LoadOptions#draft draft} needs in all, its own KV cache too; 0 without one. */
    public long draft() {
        return needs.draft();
    }

    /** The sum of all parts. */
    public long total() {
        return needs.total();
    }

    /**
     * What the process may take now: what the system and the cgroups leave, without what was promised to models that are loaded
     * already and has not been used.
     */
    public long available() {
        return needs.available();
    }

    /** For people: where that is, and with {@link Device#AUTO} why not on a GPU, if there are any. */
    public String device() {
        return needs.device();
    }

    /** For people: which other settings would make it fit, the smallest change first; empty if it does. */
    public String advice() {
        return needs.advice();
    }

    /** Whether it fits now. */
    public boolean fits() {
        return total() <= available();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof MemoryPlan that && needs.equals(that.needs);
    }

    @Override
    public int hashCode() {
        return needs.hashCode();
    }

    @Override
    public String toString() {
        return needs.toString().replaceFirst("MemoryNeeds", "MemoryPlan");
    }
}
