package io.github.internvl4j;

import io.github.internvl4j.host.Members;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A chunk of an answer as it is generated. The chunks' texts put together are the reply's text, and their thinking is the
 * reply's; a chunk may be empty while a character is incomplete or a stop string may be beginning, and the last chunk may have
 * text without a token.
 */
public final class Chunk {
    private final String text;
    private final String thinking;
    private final int token;
    private final float logprob;
    private final List<TokenLogprob> alternatives;

    Chunk(String text, String thinking, int token, float logprob, List<TokenLogprob> alternatives) {
        this.text = text;
        this.thinking = thinking;
        this.token = token;
        this.logprob = logprob;
        this.alternatives = alternatives;
    }

    /** The text to show now. */
    public String text() {
        return text;
    }

    /** What the model thinks, to show apart, if at all; empty but in {@link Thinking} mode. */
    public String thinking() {
        return thinking;
    }

    /** The token's id, or -1 for text that was held back until the end. */
    public int token() {
        return token;
    }

    /** How likely the model held the token, see {@link TokenLogprob}. */
    public float logprob() {
        return logprob;
    }

    /** The most likely tokens at this place, best first, as many as the configuration asked for. */
    public List<TokenLogprob> alternatives() {
        return alternatives;
    }

    private Members members() {
        return Members.of("text", text)
                .and("thinking", thinking)
                .and("token", token)
                .and("logprob", logprob)
                .and("alternatives", alternatives);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Chunk that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    @Override
    public String toString() {
        return "Chunk" + members();
    }
}
