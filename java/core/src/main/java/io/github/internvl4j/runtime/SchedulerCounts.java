package io.github.internvl4j.runtime;

/**
 * What a model's scheduler does, and did since the model was loaded.
 *
 * @param running requests that take part in passes
 * @param waiting requests that wait for that
 * @param blocksUsed blocks of the KV cache, 256 tokens each, of requests that run
 * @param blocks that there may be
 * @param promptTokens of requests begun
 * @param reusedTokens of those: found in the cache
 * @param newTokens generated
 * @param images encoded
 * @param sharedImages found among those that were asked about before
 * @param preemptions a request gave its blocks back, to be computed again later
 * @param passes of the decoder
 * @param guessedTokens that were checked in one pass with others
 * @param rightTokens of those: what the model said
 */
public record SchedulerCounts(
        long running,
        long waiting,
        long blocksUsed,
        long blocks,
        long promptTokens,
        long reusedTokens,
        long newTokens,
        long images,
        long sharedImages,
        long preemptions,
        long passes,
        long guessedTokens,
        long rightTokens) {}
