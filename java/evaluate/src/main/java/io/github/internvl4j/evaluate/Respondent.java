package io.github.internvl4j.evaluate;

import java.util.List;

/** Who answers: a model, or a file of answers. */
public interface Respondent {
    /**
     * Asks all, and returns when all are answered. A sample that cannot be asked fails alone.
     *
     * @param listener is told on this thread, in any order
     */
    void ask(Benchmark benchmark, List<Sample> samples, Listener listener);

    /** Whether it was told to stop: what is not answered then has not failed. */
    default boolean isStopped() {
        return false;
    }

    /** Receives answers as they come. */
    interface Listener {
        void answered(Sample sample, Given given);

        /** @param why with the picture or row that it is about */
        void failed(Sample sample, String why);
    }

    /**
     * An answer.
     *
     * @param answer stripped
     * @param promptTokens 0 if unknown
     * @param tokens 0 if unknown
     * @param finish why it ended, in lower case; empty if unknown
     * @param picture the SHA-256 of the encoded picture, in hexadecimal; of several with blanks between; empty without any
     */
    record Given(String answer, int promptTokens, int tokens, String finish, String picture) {}
}
