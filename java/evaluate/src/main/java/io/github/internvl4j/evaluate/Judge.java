package io.github.internvl4j.evaluate;

import java.io.IOException;

/** A language model that takes the answer out of a sentence. */
public interface Judge {
    /**
     * What it takes out of a response.
     *
     * @param query the whole question
     * @throws IOException if it cannot be asked
     */
    String extract(String query, String response) throws IOException, InterruptedException;

    /** What a reader of the scores should know of it: which model, and whose prompt. */
    String name();
}
