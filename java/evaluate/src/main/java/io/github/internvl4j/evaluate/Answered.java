package io.github.internvl4j.evaluate;

/**
 * A question with its answer.
 *
 * @param answer the model's text, stripped
 */
public record Answered(Sample sample, String answer) {}
