package io.github.internvl4j;

import io.github.internvl4j.error.InternVLException;

/** Receives a batch's answers as they are ready, not in order, on the thread that asked. */
public interface BatchListener {
    /** The request with this number (from 0) is answered. */
    void onReply(int index, Reply reply);

    /** The request with this number could not be answered; the others go on. */
    void onFailure(int index, InternVLException failure);
}
