package io.github.internvl4j.cli;

import java.io.Closeable;
import java.io.IOException;

/** Where a batch's answers go. */
interface AnswerSink extends Closeable {
    /**
     * Writes an answer, which is there when this returns.
     *
     * @param index of its request
     * @param line the answer without the line's end
     */
    void write(int index, String line) throws IOException;
}
