package io.github.internvl4j;

/**
 * A token and how likely the model held it. A record: it can be nothing else.
 *
 * @param token its id
 * @param logprob natural logarithm of the model's own probability, before penalty, temperature, top-k and top-p
 */
public record TokenLogprob(int token, float logprob) {}
