package io.github.internvl4j.text;

/**
 * A stretch of text on its way to the tokenizer.
 *
 * @param text the stretch
 * @param literal whether special tokens in it are spelled out
 */
record Stretch(String text, boolean literal) {}
