package io.github.internvl4j.server;

import java.util.concurrent.atomic.AtomicLong;

/** Bounds what all requests together hold of what was sent to them, or fetched for them. */
final class Memory {
    private final AtomicLong held = new AtomicLong();

    /** What one request holds, for any thread. */
    final class Share {
        private long bytes;
        private boolean freed;

        /** Takes more; false if that is too much for all, or if nothing is taken any more. */
        synchronized boolean take(int more) {
            if (freed) {
                return false;
            }
            bytes += more;
            return held.addAndGet(more) <= Limits.ALL_BODIES_BYTES;
        }

        synchronized long bytes() {
            return bytes;
        }

        /** Gives all back, for good. */
        synchronized void free() {
            freed = true;
            held.addAndGet(-bytes);
            bytes = 0;
        }
    }

    /** A share that has nothing yet; whoever it is for frees it at the request's end. */
    Share share() {
        return new Share();
    }
}
