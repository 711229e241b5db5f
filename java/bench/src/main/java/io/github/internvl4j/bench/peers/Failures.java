package io.github.internvl4j.bench.peers;

import java.util.Objects;

/** Why a peer is not compared, in a line. */
final class Failures {
    private Failures() {}

    /** The innermost cause tells most: a missing library is wrapped several times. */
    static String reason(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        String message = Objects.requireNonNullElse(cause.getMessage(), "").strip();
        String line = message.lines().findFirst().orElse("");
        return line.isEmpty()
                ? cause.getClass().getSimpleName()
                : cause.getClass().getSimpleName() + ": " + line;
    }
}
