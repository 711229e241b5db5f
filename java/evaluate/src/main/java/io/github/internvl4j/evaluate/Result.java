package io.github.internvl4j.evaluate;

import java.util.List;

/**
 * A benchmark's line in the table.
 *
 * @param answered samples with an answer
 * @param found samples that the data set here has
 * @param problems rows, pictures and files that failed, one line each
 * @param partial whether samples were left out on purpose or failed, so that the figures are not the card's
 */
public record Result(
        Benchmark benchmark,
        List<Outcome.Figure> figures,
        List<String> notes,
        int answered,
        int found,
        List<String> problems,
        boolean partial) {}
