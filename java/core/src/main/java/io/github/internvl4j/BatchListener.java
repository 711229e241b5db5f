package io.github.internvl4j;

import io.github.internvl4j.error.InternVLException;

/**
 * Receives a batch's answers as they are ready, not in order, on the thread that asked. An exception thrown from here ends the
 * batch, whose other requests are then not answered, and reaches its caller.
 */
public interface BatchListener {
    /** The request with this number (from 0) is answered. */
    void onReply(int index, Reply reply);

    /** The request with this number could not be answered; the others go on. */
    void onFailure(int index, InternVLException failure);

    /**
     * The batch was cancelled, or its thread interrupted: those requests that had begun have had their replies, with
     * {@link FinishReason#CANCELLED}, and nothing follows.
     *
     * @param from the number from which on requests, if there are any, were not taken from the iterator
     */
    default void onCancelled(int from) {}
}
