package io.github.internvl4j;

import java.util.List;

/**
 * A chunk of an answer as it is generated. The chunks' texts put together are the reply's text, and their thinking is the
 * reply's; a chunk may be empty while a character is incomplete or a stop string may be beginning, and the last chunk may have
 * text without a token.
 *
 * @param text to show now
 * @param thinking what the model thinks, to show apart, if at all; empty but in {@link Thinking} mode
 * @param token the token's id, or -1 for text that was held back until the end
 * @param logprob of the token, see {@link TokenLogprob}
 * @param alternatives the most likely tokens at this place, best first, as many as the configuration asked for
 */
public record Chunk(String text, String thinking, int token, float logprob, List<TokenLogprob> alternatives) {}
