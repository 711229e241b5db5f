package io.github.internvl4j;

import io.github.internvl4j.host.Members;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An answer. */
public final class Reply {
    private final String text;
    private final @Nullable String thinking;
    private final String response;
    private final List<Integer> promptTokens;
    private final List<Integer> tokens;
    private final FinishReason finish;
    private final List<TokenLogprob> logprobs;
    private final List<List<TokenLogprob>> alternatives;
    private final Timings timings;
    private final int droppedTurns;

    Reply(
            String text,
            @Nullable String thinking,
            String response,
            List<Integer> promptTokens,
            List<Integer> tokens,
            FinishReason finish,
            List<TokenLogprob> logprobs,
            List<List<TokenLogprob>> alternatives,
            Timings timings,
            int droppedTurns) {
        this.text = text;
        this.thinking = thinking;
        this.response = response;
        this.promptTokens = promptTokens;
        this.tokens = tokens;
        this.finish = finish;
        this.logprobs = logprobs;
        this.alternatives = alternatives;
        this.timings = timings;
        this.droppedTurns = droppedTurns;
    }

    /** The same answer, for which so many turns were left out. */
    Reply droppedTurns(int value) {
        return new Reply(
                text, thinking, response, promptTokens, tokens, finish, logprobs, alternatives, timings, value);
    }

    /** Where the time went, in seconds. */
    public static final class Timings {
        private final double queue;
        private final double vision;
        private final double prefill;
        private final double decode;
        private final long reusedTokens;

        Timings(double queue, double vision, double prefill, double decode, long reusedTokens) {
            this.queue = queue;
            this.vision = vision;
            this.prefill = prefill;
            this.decode = decode;
            this.reusedTokens = reusedTokens;
        }

        /** Waiting for other requests, before the first work on this one. */
        public double queue() {
            return queue;
        }

        /** Preparing and encoding images, and waiting for that. */
        public double vision() {
            return vision;
        }

        /** From the prompt to the first token. */
        public double prefill() {
            return prefill;
        }

        /** The other tokens. */
        public double decode() {
            return decode;
        }

        /** Tokens of the prompt that were in the cache: another prompt, or an earlier turn, began with the same. */
        public long reusedTokens() {
            return reusedTokens;
        }

        private Members members() {
            return Members.of("queue", queue)
                    .and("vision", vision)
                    .and("prefill", prefill)
                    .and("decode", decode)
                    .and("reusedTokens", reusedTokens);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Timings that && members().equals(that.members());
        }

        @Override
        public int hashCode() {
            return members().hashCode();
        }

        @Override
        public String toString() {
            return "Timings" + members();
        }
    }

    /** The answer, without special tokens and surrounding white space; in {@link Thinking} mode also without the thinking. */
    public String text() {
        return text;
    }

    /**
     * What the model thought, without its marks and surrounding white space, as far as it came; empty if it did not; null but in
     * {@link Thinking} mode.
     */
    public @Nullable String thinking() {
        return thinking;
    }

    /**
     * The whole text as the original's {@code chat} returns it, thinking and its marks included: what belongs into the history of
     * the next turn. But in {@link Thinking} mode it is {@code text}.
     */
    public String response() {
        return response;
    }

    /** The prompt's ids; none if the request was cancelled before its turn came. */
    public List<Integer> promptTokens() {
        return promptTokens;
    }

    /** The generated ids, the stop token included if one was met. */
    public List<Integer> tokens() {
        return tokens;
    }

    /** Why it ended. */
    public FinishReason finish() {
        return finish;
    }

    /** One for each of {@code tokens}. */
    public List<TokenLogprob> logprobs() {
        return logprobs;
    }

    /** For each of {@code tokens} the most likely ones, if asked for. */
    public List<List<TokenLogprob>> alternatives() {
        return alternatives;
    }

    /** How long it took. */
    public Timings timings() {
        return timings;
    }

    /** How many of the chat's oldest turns had to go to make room; 0 but with {@link WhenFull#DROP_OLDEST}. */
    public int droppedTurns() {
        return droppedTurns;
    }

    private Members members() {
        return Members.of("text", text)
                .and("thinking", thinking)
                .and("response", response)
                .and("promptTokens", promptTokens)
                .and("tokens", tokens)
                .and("finish", finish)
                .and("logprobs", logprobs)
                .and("alternatives", alternatives)
                .and("timings", timings)
                .and("droppedTurns", droppedTurns);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Reply that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    @Override
    public String toString() {
        return "Reply" + members();
    }
}
