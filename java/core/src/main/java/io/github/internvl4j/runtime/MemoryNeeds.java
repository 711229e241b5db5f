package io.github.internvl4j.runtime;

import io.github.internvl4j.KvCacheType;

/** The parts of a {@link io.github.internvl4j.MemoryPlan}, which says what each one is. */
public record MemoryNeeds(
        long weightsMapped,
        long weightsOwned,
        KvCacheType kvCacheType,
        long kvCachePerToken,
        long kvCache,
        long kvCacheBatch,
        int maxBatch,
        long scratch,
        long imageBatch,
        int imagesTogether,
        long draft,
        long total,
        long available,
        String device,
        String advice) {
    /** The same with a draft of so many bytes beside the model. */
    public MemoryNeeds andDraft(long bytes) {
        boolean alone = total <= available && total + bytes > available;
        return new MemoryNeeds(
                weightsMapped,
                weightsOwned,
                kvCacheType,
                kvCachePerToken,
                kvCache,
                kvCacheBatch,
                maxBatch,
                scratch,
                imageBatch,
                imagesTogether,
                draft + bytes,
                total + bytes,
                available,
                device,
                alone ? "it fits without the draft" : advice);
    }
}
