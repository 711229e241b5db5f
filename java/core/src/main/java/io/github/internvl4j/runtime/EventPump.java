package io.github.internvl4j.runtime;

import io.github.internvl4j.FinishReason;
import io.github.internvl4j.TokenLogprob;
import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.host.Shortage;
import io.github.internvl4j.internal.global.internvl4j;
import io.github.internvl4j.internal.ivl_event;
import io.github.internvl4j.internal.ivl_events;
import io.github.internvl4j.internal.ivl_model;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Brings a model's events from the runtime to those who wait for them: one daemon thread polls for all, and each event goes to its
 * request's own receiver. Who waits does so in Java, where an interrupt is noticed and a virtual thread gives its carrier free. The
 * thread runs only as long as there are requests, and a little longer, so that a forgotten model becomes garbage.
 */
final class EventPump {
    private static final int POLL_MILLIS = 1_000;
    private static final long LINGER_MILLIS = 3_000;

    private final Handle<ivl_model> model;
    private final Map<Long, Receiver> receivers = new HashMap<>(); // under this
    private @Nullable Thread thread; // under this

    private record Receiver(Consumer<RequestEvent> events, int candidates) {}

    EventPump(Handle<ivl_model> model) {
        this.model = model;
    }

    /**
     * Hands a request over.
     *
     * @param receiver gets its events, in their order, on another thread; it must not wait
     * @return the request's number
     */
    synchronized long submit(NativeRequest request, Consumer<RequestEvent> receiver) {
        start();
        long id = model.use(request::submit);
        receivers.put(id, new Receiver(receiver, request.sampling().topLogprobs()));
        notifyAll();
        return id;
    }

    /** Its receiver gets no event any more; the request is cancelled if it has not ended. */
    void drop(long request) {
        synchronized (this) {
            if (receivers.remove(request) == null) {
                return;
            }
        }
        cancel(request);
    }

    /** Its last event will say so, unless it has ended or the model is closed. */
    void cancel(long request) {
        model.useIfOpen(open -> internvl4j.ivl_cancel_request(open, request));
    }

    private void start() {
        if (thread != null) {
            return;
        }
        Thread started = new Thread(null, this::run, "internvl4j-events", 0, false);
        started.setDaemon(true);
        started.setContextClassLoader(null); // the caller's would be kept by it
        try {
            started.start();
        } catch (OutOfMemoryError shortOfThreads) {
            throw new InsufficientMemoryException(
                    "the request cannot be begun: " + Shortage.of(shortOfThreads), shortOfThreads);
        }
        thread = started;
    }

    private void run() {
        ivl_events events = new ivl_events();
        try {
            NativeLibrary.check(internvl4j.ivl_events_create(events));
            while (waitForRequests()) {
                poll(events);
            }
        } catch (ClosedException closed) {
            failAll(closed);
        } catch (Throwable mistake) { // an OutOfMemoryError, say: nobody may wait for ever
            failAll(new InternVLException("events of the model can no longer be read: " + mistake, mistake));
        } finally {
            internvl4j.ivl_events_free(events);
        }
    }

    /** False: nobody came for a while, and this thread is to end. */
    private synchronized boolean waitForRequests() {
        long end = System.nanoTime() + LINGER_MILLIS * 1_000_000;
        while (receivers.isEmpty()) {
            long left = (end - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                thread = null;
                return false;
            }
            try {
                wait(left);
            } catch (InterruptedException mistaken) {
                // This thread is nobody's to interrupt; it goes on.
            }
        }
        return true;
    }

    private void poll(ivl_events events) {
        model.call(open -> internvl4j.ivl_poll(open, POLL_MILLIS, events));
        long count = internvl4j.ivl_events_count(events);
        try (ivl_event event = new ivl_event()) {
            for (long i = 0; i < count; i++) {
                NativeLibrary.check(internvl4j.ivl_events_get(events, i, event));
                deliver(events, i, event);
            }
        }
    }

    private void deliver(ivl_events events, long index, ivl_event event) {
        boolean last = event.finish() != internvl4j.IVL_FINISH_NONE;
        Receiver receiver;
        synchronized (this) {
            receiver = last ? receivers.remove(event.request()) : receivers.get(event.request());
        }
        if (receiver != null) {
            receiver.events().accept(converted(events, index, event, receiver.candidates()));
        }
    }

    private void failAll(InternVLException failure) {
        Map<Long, Receiver> waiting;
        synchronized (this) {
            thread = null;
            waiting = Map.copyOf(receivers);
            receivers.clear();
        }
        waiting.forEach((request, receiver) ->
                receiver.events().accept(new RequestEvent(request, -1, 0, null, failure, List.of(), 0, 0, 0)));
    }

    private static RequestEvent converted(ivl_events events, long index, ivl_event event, int most) {
        return new RequestEvent(
                event.request(),
                event.token(),
                event.logprob(),
                end(event.finish()),
                event.finish() == internvl4j.IVL_FINISH_FAILED ? failure(events, index) : null,
                most == 0 ? List.of() : candidates(events, index, most),
                event.reused(),
                event.queue_seconds(),
                event.image_seconds());
    }

    private static InternVLException failure(ivl_events events, long index) {
        try {
            NativeLibrary.check(internvl4j.ivl_events_failure(events, index));
        } catch (InternVLException failure) {
            return failure;
        }
        throw new IllegalStateException("event " + index + " is no failure");
    }

    private static List<TokenLogprob> candidates(ivl_events events, long index, int most) {
        int[] tokens = new int[most];
        float[] logprobs = new float[most];
        long[] count = new long[1];
        NativeLibrary.check(internvl4j.ivl_events_top(events, index, tokens, logprobs, most, count));
        List<TokenLogprob> candidates = new ArrayList<>((int) count[0]);
        for (int i = 0; i < count[0]; i++) {
            candidates.add(new TokenLogprob(tokens[i], logprobs[i]));
        }
        return List.copyOf(candidates);
    }

    private static @Nullable FinishReason end(int finish) {
        return switch (finish) {
            case internvl4j.IVL_FINISH_STOP -> FinishReason.STOP;
            case internvl4j.IVL_FINISH_LENGTH -> FinishReason.LENGTH;
            case internvl4j.IVL_FINISH_CANCELLED -> FinishReason.CANCELLED;
            default -> null;
        };
    }
}
