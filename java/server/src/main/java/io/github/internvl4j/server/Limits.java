package io.github.internvl4j.server;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;

/** What one client may ask of a server that others use, too. */
final class Limits {
    static final long BODY_BYTES = 32L << 20;

    /** Of the bodies of all requests that are being read or wait to be, and of what is fetched for them. */
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

    /** Of an image that is fetched; those of one request are together no larger than a body. */
    static final int FETCHED_BYTES = 20 << 20;

    /** Images that are fetched at a time. */
    static final int FETCHES = 64;

    static final int REDIRECTS = 3;

    private Limits() {}

    /** What is waited for, and how long. */
    enum Wait {
        /** For a new connection's first request, its head whole. */
        FIRST_REQUEST(10),
        /** For a connection's next one. */
        NEXT_REQUEST(75),
        /** For a request's body. */
        BODY(60),
        /** For an image that is fetched. */
        FETCH(10),
        /** For a place among those that are answered. */
        QUEUE(30),
        /** For the whole answer. */
        ANSWER(600),
        /** For a reader who takes nothing. */
        STALLED(60),
        /** Between signs of life in a stream that has nothing to say. */
        PING(10);

        private final Duration usual;

        Wait(int seconds) {
            usual = Duration.ofSeconds(seconds);
        }
    }

    /**
     * How long is waited.
     *
     * @param changed where that is not as usual
     */
    record Times(Map<Wait, Duration> changed) {
        static Times defaults() {
            return new Times(Map.of());
        }

        Duration of(Wait wait) {
            return changed.getOrDefault(wait, wait.usual);
        }

        Times with(Wait wait, Duration longest) {
            Map<Wait, Duration> more = new EnumMap<>(Wait.class);
            more.putAll(changed);
            more.put(wait, longest);
            return new Times(more);
        }
    }
}
