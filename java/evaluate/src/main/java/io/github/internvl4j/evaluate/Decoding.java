package io.github.internvl4j.evaluate;

import io.github.internvl4j.GenerationConfig;

/**
 * How a benchmark's answers are generated: greedily, or by beams where {@link Benchmark#hasScriptsBeams}.
 *
 * @param maxNewTokens at most so many tokens, the stop token counts
 * @param minNewTokens no stop token before so many
 */
public record Decoding(int maxNewTokens, int minNewTokens) {
    /** As the library takes it. */
    public GenerationConfig config() {
        return GenerationConfig.greedy(maxNewTokens).minNewTokens(minNewTokens);
    }
}
