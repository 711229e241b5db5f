package io.github.internvl4j;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Where an answer waits for who reads it. Without a limit: an answer is no longer than a context, and whoever computes it must not
 * wait for a reader. Readers that are interrupted use the cancellation, wait for the end, which is near then, and stay interrupted.
 */
final class Inbox implements Background.Sink {
    // No monitor: until JDK 24 a virtual thread that waits for one keeps its carrier.
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Chunk> chunks = new ArrayDeque<>(); // this and the next two under the lock
    private @Nullable Reply reply;
    private @Nullable Throwable failure;

    @Override
    public void onChunk(Chunk chunk) {
        change(() -> chunks.add(chunk));
    }

    @Override
    public void onReply(Reply whole) {
        change(() -> reply = whole);
    }

    @Override
    public void onFailure(Throwable why) {
        change(() -> failure = why);
    }

    private void change(Runnable change) {
        lock.lock();
        try {
            change.run();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The next chunk; null behind the last one. Throws what the answer failed with. */
    @Nullable
    Chunk take(Cancellation cancellation) {
        lock.lock();
        try {
            await(false, cancellation);
            Chunk chunk = chunks.poll();
            if (chunk == null) {
                throwFailure();
            }
            return chunk;
        } finally {
            lock.unlock();
        }
    }

    /** Waits for the end. Throws what the answer failed with. */
    Reply reply(Cancellation cancellation) {
        lock.lock();
        try {
            await(true, cancellation);
            throwFailure();
            if (reply == null) {
                throw new IllegalStateException("the answer ended without a reply");
            }
            return reply;
        } finally {
            lock.unlock();
        }
    }

    void awaitEnd(Cancellation cancellation) {
        lock.lock();
        try {
            await(true, cancellation);
        } finally {
            lock.unlock();
        }
    }

    private boolean over() {
        return reply != null || failure != null;
    }

    private void throwFailure() {
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure != null) {
            throw (RuntimeException) failure; // a question throws nothing else
        }
    }

    private void await(boolean theEnd, Cancellation cancellation) {
        boolean interrupted = false;
        while (!over() && (theEnd || chunks.isEmpty())) {
            try {
                changed.await();
            } catch (InterruptedException e) {
                interrupted = true;
                cancellation.cancel();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
