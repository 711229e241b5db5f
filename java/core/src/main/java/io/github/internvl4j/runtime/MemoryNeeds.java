package io.github.internvl4j.runtime;

import io.github.internvl4j.KvCacheType;

/** The parts of a {@link io.github.internvl4j.MemoryPlan}, which says what each one is. */
public record MemoryNeeds(
        long weightsMapped, long weightsOwned, KvCacheType kvCacheType, long kvCachePerToken, long kvCache, long kvCacheBatch,
        int maxBatch, long scratch, long imageBatch, int imagesTogether, long total, long available, String device,
        String advice) {}
