package io.github.internvl4j.text;

/**
 * A question that was asked and the answer that came.
 *
 * @param question the question, with its {@code <image>} places
 * @param answer the answer
 */
public record Round(String question, String answer) {}
