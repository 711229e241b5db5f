package io.github.internvl4j.runtime;

import io.github.internvl4j.error.ClosedException;
import java.util.List;

/** A model's scheduler as {@link EventPump} sees it: requests go in, events come out. */
interface Requests {
    /** Hands one over. Returns its number. */
    long submit(NativeRequest request);

    /** Its last event will say so, unless it has ended or the model is closed. */
    void cancel(long request);

    /** Begins to read the events of all requests; each comes once, to one of the readers. */
    Reader read();

    /** For one thread. */
    interface Reader extends AutoCloseable {
        /**
         * The next events, in their order; none if none came within a second.
         *
         * @throws ClosedException if the model is closed and there are no more
         */
        List<RequestEvent> next();

        @Override
        void close();
    }
}
