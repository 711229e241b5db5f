package io.github.internvl4j.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets an interrupt reach native work, which cannot look at a Java thread's interrupt status: one daemon thread for all looks at
 * the threads that are inside native calls, some hundred times a second, and cancels the work of those that are interrupted.
 * Their interrupt status stays as it is. The thread runs only as long as there is somebody to watch, and a little longer.
 */
public final class InterruptWatcher {
    /** For all models of the process. */
    public static final InterruptWatcher SHARED = new InterruptWatcher(InterruptWatcher::daemon);

    private static final long PERIOD_MILLIS = 3;
    private static final long LINGER_MILLIS = 5_000;

    private final ThreadFactory threads;
    private final List<Watch> watched = new ArrayList<>(); // under this
    private @Nullable Thread watcher; // under this

    InterruptWatcher(ThreadFactory threads) {
        this.threads = threads;
    }

    /** The calling thread's native work, until it is closed. */
    public final class Watch implements AutoCloseable {
        private final Thread thread = Thread.currentThread();
        private final Runnable cancel;
        // Odd inside a native call, and another number in each.
        private final AtomicLong calls = new AtomicLong();

        private Watch(Runnable cancel) {
            this.cancel = cancel;
        }

        /** Makes a native call; an interrupt meanwhile cancels it. One outside of calls is the caller's to look at. */
        public <T> T during(Supplier<T> call) {
            calls.incrementAndGet();
            try {
                return call.get();
            } finally {
                calls.incrementAndGet();
            }
        }

        private void look() {
            long before = calls.get();
            // What a listener has interrupted and handled itself between two calls is none of ours.
            if (before % 2 == 1 && thread.isInterrupted() && calls.get() == before) {
                cancel.run();
            }
        }

        @Override
        public void close() {
            forget(this);
        }
    }

    /**
     * Watches the calling thread.
     *
     * @param cancel ends its native work; run on another thread, perhaps several times
     */
    public Watch watch(Runnable cancel) {
        Watch watch = new Watch(cancel);
        synchronized (this) {
            watched.add(watch);
            if (watcher == null) {
                start();
            } else {
                notifyAll();
            }
        }
        return watch;
    }

    private void start() {
        try {
            Thread started = threads.newThread(this::run);
            started.start();
            watcher = started;
        } catch (OutOfMemoryError shortOfThreads) {
            // Interrupts are then noticed between the steps; the next to be watched tries again.
            watcher = null;
        }
    }

    private synchronized void forget(Watch watch) {
        watched.remove(watch);
    }

    private void run() {
        try {
            List<Watch> now = next();
            while (!now.isEmpty()) {
                now.forEach(Watch::look);
                pause();
                now = next();
            }
        } finally {
            ended();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(PERIOD_MILLIS);
        } catch (InterruptedException mistaken) {
            // This thread is nobody's to interrupt; it goes on.
        }
    }

    /** However it ended, another may be started. */
    private synchronized void ended() {
        if (watcher == Thread.currentThread()) {
            watcher = null;
        }
    }

    /** Whom to look at; waits for somebody. Empty if nobody came, and this thread is to end. */
    private synchronized List<Watch> next() {
        long end = System.nanoTime() + LINGER_MILLIS * 1_000_000;
        while (watched.isEmpty()) {
            long left = (end - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                watcher = null;
                return List.of();
            }
            try {
                wait(left);
            } catch (InterruptedException mistaken) {
                // As above.
            }
        }
        return List.copyOf(watched);
    }

    private static Thread daemon(Runnable body) {
        Thread thread = new Thread(null, body, "internvl4j-interrupts", 0, false);
        thread.setDaemon(true);
        thread.setContextClassLoader(null); // the caller's would be kept by it
        return thread;
    }
}
