package io.github.internvl4j.train;

/** A line that cannot be learnt from; the message says why, without naming the line. */
final class BadSampleException extends Exception {
    private static final long serialVersionUID = 1L;

    BadSampleException(String why) {
        super(why);
    }

    BadSampleException(String why, Throwable cause) {
        super(why, cause);
    }

    /** Why, on one line. */
    String reason() {
        return String.valueOf(getMessage()).replace('\n', ' ');
    }
}
