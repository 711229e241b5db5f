package io.github.internvl4j.evaluate;

import org.jspecify.annotations.Nullable;

/**
 * What an answer is worth by itself.
 *
 * @param processed the answer as it is compared
 * @param score 0 to 1; null if only a server can tell
 */
public record Verdict(String processed, @Nullable Double score) {
    static Verdict of(String processed, boolean right) {
        return new Verdict(processed, right ? 1.0 : 0.0);
    }

    static Verdict unknown(String processed) {
        return new Verdict(processed, null);
    }

    boolean right() {
        return score != null && score == 1;
    }
}
