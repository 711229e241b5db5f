package io.github.internvl4j.runtime;

import io.github.internvl4j.FinishReason;
import io.github.internvl4j.TokenLogprob;
import io.github.internvl4j.error.InternVLException;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * What became of a request: a token, its end, or both.
 *
 * @param request its number
 * @param token the token's id; -1 if it was cancelled or failed
 * @param logprob natural logarithm of the model's own probability
 * @param end why the request is over with this; null if it goes on, or failed
 * @param failure what it failed with, or null
 * @param candidates the most likely tokens at this place, best first; as many as the request asked for
 * @param reused tokens of its prompt that were in the cache
 * @param queueSeconds what it waited before its first turn
 * @param imageSeconds from then until its images were encoded
 */
public record RequestEvent(
        long request,
        int token,
        float logprob,
        @Nullable FinishReason end,
        @Nullable InternVLException failure,
        List<TokenLogprob> candidates,
        long reused,
        double queueSeconds,
        double imageSeconds) {
    /** A token behind which the request goes on, or which ends it. */
    public static RequestEvent token(long request, int token, @Nullable FinishReason end) {
        return new RequestEvent(request, token, 0, end, null, List.of(), 0, 0, 0);
    }

    /** It is over without an end of its own. */
    static RequestEvent failed(long request, InternVLException failure) {
        return new RequestEvent(request, -1, 0, null, failure, List.of(), 0, 0, 0);
    }

    /**
     * Waits for the next of these events.
     *
     * @throws InternVLException if the request failed
     * @throws CancellationException if this thread is interrupted; its interrupt status stays set
     */
    static RequestEvent next(BlockingQueue<RequestEvent> events) {
        try {
            return events.take().orThrow();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("the thread was interrupted");
        }
    }

    /**
     * This event.
     *
     * @throws InternVLException if it is a failure, which is thrown
     */
    public RequestEvent orThrow() {
        if (failure != null) {
            throw failure;
        }
        return this;
    }

    /** Whether nothing follows. */
    public boolean last() {
        return end != null || failure != null;
    }
}
