package io.github.internvl4j.runtime;

import io.github.internvl4j.error.InternVLException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.LinkedBlockingQueue;

/** One request on its way, for the thread that waits for its events. */
public final class NativeAnswer implements AutoCloseable {
    private final EventPump pump;
    private final BlockingQueue<RequestEvent> events = new LinkedBlockingQueue<>();
    private final long id;

    NativeAnswer(EventPump pump, NativeRequest request) {
        this.pump = pump;
        id = pump.submit(request, events::add);
    }

    /**
     * Waits for the next event.
     *
     * @throws InternVLException if the request failed
     * @throws CancellationException if this thread is interrupted; its interrupt status stays set
     */
    public RequestEvent next() {
        return RequestEvent.next(events);
    }

    /** Waits for the last event. Returns how many tokens came. */
    public int finish() {
        int tokens = 0;
        RequestEvent event;
        do {
            event = next();
            tokens += event.token() < 0 ? 0 : 1;
        } while (!event.last());
        return tokens;
    }

    /** Ends the request, if it has not ended. */
    @Override
    public void close() {
        pump.drop(id);
    }
}
