package io.github.internvl4j;

/** Receives an answer while it is generated, on the thread that asked. */
@FunctionalInterface
public interface ReplyListener {
    /** Takes a chunk. An exception thrown here ends the answer and reaches the caller of the question. */
    void onChunk(Chunk chunk);

    /** Ignores every chunk. */
    static ReplyListener none() {
        return chunk -> {};
    }
}
