package io.github.internvl4j;

/**
 * What a model needs, in bytes, known before it is loaded.
 *
 * @param weightsMapped read in place from the files; the system may drop and re-read these pages
 * @param weightsOwned converted, or read into memory
 * @param kvCacheType what the KV cache would be
 * @param kvCachePerToken of one sequence
 * @param kvCache one sequence of the full context
 * @param kvCacheBatch the further requests of a batch (of {@link LoadOptions#maxBatch()} all but one), each of an image, a question and an
 *     answer of 1,024 tokens; a request that needs more is given more if it is there at that time
 * @param maxBatch how many requests together that is for
 * @param scratch activations of a chunk of prompt, and the kernels' own
 * @param imageBatch pixels and activations of the images that are encoded together
 * @param imagesTogether how many those are
 * @param total of all parts
 * @param available what the process may take now: what the system and the cgroups leave, without what was promised to models that
 *     are loaded already and has not been used
 * @param device for people: where that is, and with {@link Device#AUTO} why not on a GPU, if there are any
 * @param advice for people: which other settings would make it fit, the smallest change first; empty if it does
 */
public record MemoryPlan(
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
        long total,
        long available,
        String device,
        String advice) {
    /** Whether it fits now. */
    public boolean fits() {
        return total <= available;
    }
}
