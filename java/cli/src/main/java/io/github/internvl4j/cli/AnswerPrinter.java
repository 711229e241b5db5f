package io.github.internvl4j.cli;

/** Shows an answer while it comes: its text on standard output, what the model thinks before on standard error. */
final class AnswerPrinter {
    private final Streams streams;
    private boolean thinking;

    AnswerPrinter(Streams streams) {
        this.streams = streams;
    }

    /** Either may be empty. */
    void show(String thought, String text) {
        if (!thought.isEmpty()) {
            streams.err().print(thought);
            thinking = true;
        }
        if (!text.isEmpty()) {
            end();
            streams.out().print(text);
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
