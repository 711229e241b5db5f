package io.github.internvl4j.server;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Who is answered now, who waits, and who is told to come back. */
final class Admission {
    /** A request for an answer. */
    interface Job {
        /** Answers it, and returns when that is done. */
        void run();

        /** Hears that its time to wait is over. */
        void refuse(ApiError error);
    }

    private final int most;
    private final int mostWaiting;
    private final Duration patience;
    private final Executor threads;
    private final ScheduledExecutorService clock;
    /** Each with what ends its waiting, in the order in which they came. */
    private final Map<Job, Future<?>> waiting = new LinkedHashMap<>();

    private int running;
    private boolean closed;

    /**
     * @param threads must have one for each that runs
     * @param clock ends waiting
     */
    Admission(ServerOptions options, Duration patience, Executor threads, ScheduledExecutorService clock) {
        most = options.maxBatch();
        mostWaiting = options.queue();
        this.patience = patience;
        this.threads = threads;
        this.clock = clock;
    }

    /** @throws ApiError if a request that came now would be refused */
    synchronized void requireRoom() {
        if (closed) {
            throw ApiError.draining();
        }
        if (running >= most && waiting.size() >= mostWaiting) {
            throw ApiError.queueFull();
        }
    }

    /** @throws ApiError if too many wait already */
    synchronized void submit(Job job) {
        requireRoom();
        if (running < most) {
            running++;
            begin(job);
            return;
        }
        waiting.put(
                job,
                clock.schedule(
                        () -> {
                            if (leave(job)) {
                                job.refuse(ApiError.queueFull());
                            }
                        },
                        patience.toMillis(),
                        TimeUnit.MILLISECONDS));
    }

    private void begin(Job job) {
        threads.execute(() -> {
            try {
                job.run();
            } finally {
                next();
            }
        });
    }

    private synchronized void next() {
        if (waiting.isEmpty()) {
            running--;
            notifyAll();
            return;
        }
        Job first = waiting.keySet().iterator().next();
        leave(first);
        begin(first);
    }

    /** Gives up a place in the queue; false if it waits no longer. */
    synchronized boolean leave(Job job) {
        Future<?> end = waiting.remove(job);
        if (end == null) {
            return false;
        }
        end.cancel(false);
        return true;
    }

    synchronized int waiting() {
        return waiting.size();
    }

    synchronized int running() {
        return running;
    }

    /** Takes nobody any more; those who wait are told so, those who are answered go on. */
    void close() {
        List<Job> told;
        synchronized (this) {
            closed = true;
            told = List.copyOf(waiting.keySet());
            told.forEach(this::leave);
        }
        told.forEach(job -> job.refuse(ApiError.draining()));
    }

    /** Waits until nobody is answered any more; false if that takes longer. */
    synchronized boolean awaitIdle(Duration longest) throws InterruptedException {
        long end = System.nanoTime() + longest.toNanos();
        while (running > 0) {
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (left <= 0) {
                return false;
            }
            wait(left);
        }
        return true;
    }
}
