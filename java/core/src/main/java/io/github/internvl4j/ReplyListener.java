package io.github.internvl4j;

/** Receives an answer while it is generated, on the thread that asked. */
@FunctionalInterface
public interface ReplyListener {
    /** Takes a piece. An exception thrown here ends the answer and reaches the caller of the question. */
    void onPiece(Piece piece);

    /** Ignores every piece. */
    static ReplyListener none() {
        return piece -> {};
    }
}
