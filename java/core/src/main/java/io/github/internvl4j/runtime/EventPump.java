package io.github.internvl4j.runtime;

import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.InsufficientMemoryException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.host.Shortage;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Brings a model's events from the runtime to those who wait for them: one daemon thread polls for all, and each event goes to its
 * request's own receiver. Who waits does so in Java, where an interrupt is noticed and a virtual thread gives its carrier free. The
 * thread runs only as long as there are requests, and a little longer, so that a forgotten model becomes garbage.
 */
final class EventPump {
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(3);

    private final Requests requests;
    private final ThreadFactory threads;
    // No monitor: until JDK 24 a virtual thread that waits for one keeps its carrier.
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition submitted = lock.newCondition();
    private final Map<Long, Consumer<RequestEvent>> receivers = new HashMap<>(); // under the lock
    private @Nullable Thread thread; // under the lock

    EventPump(Requests requests, ThreadFactory threads) {
        this.requests = requests;
        this.threads = threads;
    }

    /** A thread for it, as forgettable as can be. */
    static Thread daemon(Runnable events) {
        Thread thread = new Thread(null, events, "internvl4j-events", 0, false);
        thread.setDaemon(true);
        thread.setContextClassLoader(null); // the caller's would be kept by it
        return thread;
    }

    /**
     * Hands a request over.
     *
     * @param receiver gets its events, in their order, on another thread; it must not wait
     * @return the request's number
     */
    long submit(NativeRequest request, Consumer<RequestEvent> receiver) {
        lock.lock();
        try {
            start();
            long id = requests.submit(request);
            receivers.put(id, receiver);
            submitted.signal();
            return id;
        } finally {
            lock.unlock();
        }
    }

    /** Its receiver gets no event any more; the request is cancelled if it has not ended. */
    void drop(long request) {
        lock.lock();
        try {
            if (receivers.remove(request) == null) {
                return;
            }
        } finally {
            lock.unlock();
        }
        cancel(request);
    }

    /** Its last event will say so, unless it has ended or the model is closed. */
    void cancel(long request) {
        requests.cancel(request);
    }

    private void start() {
        if (thread != null) {
            return;
        }
        Thread started = threads.newThread(this::run);
        try {
            started.start();
        } catch (OutOfMemoryError shortOfThreads) {
            throw new InsufficientMemoryException(
                    "the request cannot be begun: " + Shortage.of(shortOfThreads), shortOfThreads);
        }
        thread = started;
    }

    private void run() {
        try (Requests.Reader reader = requests.read()) {
            while (waitForRequests()) {
                deliver(reader.next());
            }
        } catch (ClosedException closed) {
            failAll(closed);
        } catch (Throwable mistake) { // an OutOfMemoryError, say: nobody may wait for ever
            failAll(new InternVLException("events of the model can no longer be read: " + mistake, mistake));
        }
    }

    /** False: nobody came for a while, and this thread is to end. */
    private boolean waitForRequests() {
        lock.lock();
        try {
            long left = LINGER_NANOS;
            while (receivers.isEmpty()) {
                if (left <= 0) {
                    thread = null;
                    return false;
                }
                try {
                    left = submitted.awaitNanos(left);
                } catch (InterruptedException mistaken) {
                    // This thread is nobody's to interrupt; it goes on.
                }
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Under the lock, so that nothing comes behind a {@link #drop}. */
    void deliver(List<RequestEvent> events) {
        lock.lock();
        try {
            for (RequestEvent event : events) {
                Consumer<RequestEvent> receiver = receivers.get(event.request());
                if (receiver != null) {
                    receiver.accept(event);
                }
                if (event.last()) { // behind the telling: who could not be told hears of that
                    receivers.remove(event.request());
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Whoever waits hears of it, also behind one who cannot be told, and what is computed for them ends. The next request begins with
     * another thread.
     */
    void failAll(InternVLException failure) {
        lock.lock();
        try {
            thread = null;
            if (!(failure
                    instanceof ClosedException)) { // else nothing is computed, and to ask would wait for the freeing
                receivers.keySet().forEach(this::cancel);
            }
            receivers.forEach((request, receiver) -> {
                try {
                    receiver.accept(RequestEvent.failed(request, failure));
                } catch (Throwable untold) {
                    failure.addSuppressed(untold);
                }
            });
            receivers.clear();
        } finally {
            lock.unlock();
        }
    }
}
