package io.github.internvl4j;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An answer.
 *
 * @param text the answer, without special tokens and surrounding white space; in {@link Thinking} mode also without the thinking
 * @param thinking what the model thought, without its marks and surrounding white space, as far as it came; empty if it did not;
 *     null but in {@link Thinking} mode
 * @param response the whole text as the original's {@code chat} returns it, thinking and its marks included: what belongs into the
 *     history of the next turn. But in {@link Thinking} mode it is {@code text}
 * @param promptTokens the prompt's ids; none if the request was cancelled before its turn came
 * @param tokens the generated ids, the stop token included if one was met
 * @param finish why it ended
 * @param logprobs one for each of {@code tokens}
 * @param alternatives for each of {@code tokens} the most likely ones, if asked for
 * @param timings how long it took
 */
public record Reply(
        String text,
        @Nullable String thinking,
        String response,
        List<Integer> promptTokens,
        List<Integer> tokens,
        FinishReason finish,
        List<TokenLogprob> logprobs,
        List<List<TokenLogprob>> alternatives,
        Timings timings) {
    /**
     * Where the time went, in seconds.
     *
     * @param vision preparing and encoding images
     * @param prefill from the prompt to the first token
     * @param decode the other tokens
     * @param reusedTokens tokens of the prompt that were still in the chat's cache
     */
    public record Timings(double vision, double prefill, double decode, long reusedTokens) {}
}
