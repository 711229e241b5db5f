package io.github.internvl4j.evaluate;

import io.github.internvl4j.Prompt;
import java.io.IOException;
import java.util.List;

/** A data set, its questions and its score. One class of one's own is all that another data set needs. */
public interface Benchmark {
    /** As it is called in files and on the command line, such as {@code MMMU_validation}. */
    String name();

    /** What it is, and where its data is published. */
    About about();

    /** How answers are generated. */
    Decoding decoding();

    /**
     * Reads the data set. A bad row or file is a problem in the result; the rest goes on.
     *
     * @throws IOException if there is nothing to read; the message names the file that was expected
     */
    Samples samples(DataFolder data) throws IOException;

    /**
     * What a sample asks: its question, with its pictures in lines before it. A benchmark of dialogs makes its own.
     *
     * @throws IOException if a picture cannot be read
     */
    default Prompt prompt(Sample sample) throws IOException {
        return Prompt.of(sample.question(), sample.images());
    }

    /** Whether it is asked with the system message of the model's template, whatever the run's is. */
    default boolean hasTemplatesSystem() {
        return false;
    }

    /** Whether it is answered with as many beams as the original's scripts search with; otherwise greedily. */
    default boolean hasScriptsBeams() {
        return false;
    }

    /** What an answer is worth by itself. */
    Verdict judge(Sample sample, String answer);

    /**
     * The score, the original's report, and result files.
     *
     * @param answers in the data set's order; some may be missing
     * @param model what the model is called in files that name it
     * @throws IOException if a file that the score needs cannot be read
     */
    Outcome outcome(List<Answered> answers, DataFolder data, String model) throws IOException;
}
