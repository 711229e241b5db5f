package io.github.internvl4j;

/** Receives an answer while it is generated, on the thread that asked. */
@FunctionalInterface
public interface ReplyListener {
    /**
     * Hears once, before the first chunk, that the prompt can be asked and fits the context. An exception thrown here is one of {@link
     * #onChunk}.
     *
     * @param tokens of the prompt, those of its images among them
     */
    default void onPrompt(int tokens) {}

    /** Takes a chunk. An exception thrown here ends the answer and reaches the caller of the question. */
    void onChunk(Chunk chunk);

    /** Ignores every chunk. */
    static ReplyListener none() {
        return chunk -> {};
    }
}
