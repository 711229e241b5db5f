package io.github.internvl4j;

import io.github.internvl4j.error.ContextLengthException;

/** What a chat does with a question when the conversation has become longer than the model's context. */
public enum WhenFull {
    /** {@link ContextLengthException}. The chat is unchanged: {@link Chat#undo}, {@link Chat#reset} or a shorter question goes on. */
    FAIL,
    /**
     * Forgets the oldest turns, with their images, until the question and its answer fit: an answer of as many tokens as
     * {@link GenerationConfig#maxNewTokens} says, but of a quarter of the context at most. The system message stays. The model no
     * longer knows of what was forgotten, {@link Reply#droppedTurns} says how much that was, and the rest is computed anew.
     */
    DROP_OLDEST
}
