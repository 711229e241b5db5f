package io.github.internvl4j.cli;

import io.github.internvl4j.Chunk;

/** Shows an answer while it comes: its text on standard output, what the model thinks before on standard error. */
final class AnswerPrinter {
    private final Streams streams;
    private boolean thinking;

    AnswerPrinter(Streams streams) {
        this.streams = streams;
    }

    void show(Chunk chunk) {
        if (!chunk.thinking().isEmpty()) {
            streams.err().print(chunk.thinking());
            thinking = true;
        }
        if (!chunk.text().isEmpty()) {
            end();
            streams.out().print(chunk.text());
        }
    }

    /** Parts the thinking from what comes behind it. */
    void end() {
        if (thinking) {
            streams.err().println();
            streams.err().println();
            thinking = false;
        }
    }
}
