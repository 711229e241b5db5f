package io.github.internvl4j;

import io.github.internvl4j.runtime.SchedulerCounts;
import org.jspecify.annotations.Nullable;

/** What a model's scheduler does now, and did since the model was loaded: how full it is, and what it saved. */
public final class Counts {
    private final SchedulerCounts counts;

    Counts(SchedulerCounts counts) {
        this.counts = counts;
    }

    /** Requests that take part in passes. */
    public long running() {
        return counts.running();
    }

    /** Requests that wait for that. */
    public long waiting() {
        return counts.waiting();
    }

    /** Blocks of the KV cache, 256 tokens each, of requests that run. */
    public long blocksUsed() {
        return counts.blocksUsed();
    }

    /** Blocks that there may be. */
    public long blocks() {
        return counts.blocks();
    }

    /** Tokens of the prompts of requests begun. */
    public long promptTokens() {
        return counts.promptTokens();
    }

    /** Of those, how many were found in the cache. */
    public long reusedTokens() {
        return counts.reusedTokens();
    }

    /** Tokens generated. */
    public long newTokens() {
        return counts.newTokens();
    }

    /** Images encoded. */
    public long images() {
        return counts.images();
    }

    /** Images that were found among those asked about before. */
    public long sharedImages() {
        return counts.sharedImages();
    }

    /** How often a request gave its blocks back, to be computed again later. */
    public long preemptions() {
        return counts.preemptions();
    }

    /** Passes of the decoder. */
    public long passes() {
        return counts.passes();
    }

    /** Tokens that were guessed from what was said before; see {@link GenerationConfig#guessing(boolean)}. */
    public long guessedTokens() {
        return counts.guessedTokens();
    }

    /** Of those, how many were right. */
    public long rightTokens() {
        return counts.rightTokens();
    }

    /** Tokens that the {@linkplain LoadOptions#draft draft} guessed. */
    public long draftedTokens() {
        return counts.draftedTokens();
    }

    /** Of those, how many were right. */
    public long rightDraftedTokens() {
        return counts.rightDraftedTokens();
    }

    /** Requests that went on without the draft because it failed. */
    public long draftFailures() {
        return counts.draftFailures();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Counts that && counts.equals(that.counts);
    }

    @Override
    public int hashCode() {
        return counts.hashCode();
    }

    @Override
    public String toString() {
        return "Counts"
                + counts.toString().substring(counts.getClass().getSimpleName().length());
    }
}
