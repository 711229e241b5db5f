package io.github.internvl4j.cli;

import io.github.internvl4j.Piece;

/** Shows an answer while it comes: its text on standard output, what the model thinks before on standard error. */
final class AnswerPrinter {
    private final Streams streams;
    private boolean thinking;

    AnswerPrinter(Streams streams) {
        this.streams = streams;
    }

    void show(Piece piece) {
        if (!piece.thinking().isEmpty()) {
            streams.err().print(piece.thinking());
            thinking = true;
        }
        if (!piece.text().isEmpty()) {
            end();
            streams.out().print(piece.text());
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
