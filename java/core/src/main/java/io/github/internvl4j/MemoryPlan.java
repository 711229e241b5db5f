package io.github.internvl4j;

/**
 * What a model needs, in bytes, known before it is loaded.
 *
 * @param weightsMapped read in place from the files; the system may drop and re-read these pages
 * @param weightsOwned converted, or read into memory
 * @param kvCacheType what the KV cache would be
 * @param kvCachePerToken of one sequence
 * @param kvCache one sequence of the full context
 * @param scratch activations of a piece of prompt, and the kernels' own
 * @param pictureBatch pixels and activations of the pictures that are encoded together
 * @param picturesTogether how many those are
 * @param total of all parts
 * @param available what the process may take now
 * @param device for people: where that is, and with {@link Device#AUTO} why not on a GPU, if there are any
 */
public record MemoryPlan(
        long weightsMapped,
        long weightsOwned,
        KvCacheType kvCacheType,
        long kvCachePerToken,
        long kvCache,
        long scratch,
        long pictureBatch,
        int picturesTogether,
        long total,
        long available,
        String device) {
    /** Whether it fits now. */
    public boolean fits() {
        return total <= available;
    }
}
