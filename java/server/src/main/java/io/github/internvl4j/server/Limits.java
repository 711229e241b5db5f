package io.github.internvl4j.server;

import java.time.Duration;

/** What one client may ask of a server that others use, too. */
final class Limits {
    static final long BODY_BYTES = 32L << 20;

    /** Of the bodies of all requests that are being read or wait to be. */
    static final long ALL_BODIES_BYTES = 8 * BODY_BYTES;

    /** As many as fit the context of the model that the library began with. */
    static final int IMAGES = 15;

    /** That stand for a video. */
    static final int FRAMES = 8;

    /** Of one image, and of all of a request together. */
    static final long PIXELS = 40_000_000;

    static final long ALL_PIXELS = 4 * PIXELS;

    static final int STOPS = 16;
    static final int TOP_LOGPROBS = 20;
    static final int CHOICES = 8;

    private Limits() {}

    /**
     * How long is waited for what.
     *
     * @param firstRequest for a new connection's first request
     * @param nextRequest for a connection's next one
     * @param body for a request's body
     * @param queue for a place among those that are answered
     * @param answer for the whole answer
     * @param stalled for a reader who takes nothing
     * @param ping between signs of life in a stream that has nothing to say
     */
    record Times(
            Duration firstRequest,
            Duration nextRequest,
            Duration body,
            Duration queue,
            Duration answer,
            Duration stalled,
            Duration ping) {
        static Times defaults() {
            return new Times(
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(75),
                    Duration.ofSeconds(60),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(600),
                    Duration.ofSeconds(60),
                    Duration.ofSeconds(10));
        }
    }
}
