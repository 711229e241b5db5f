package io.github.internvl4j;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Where an answer waits for who reads it. Without a limit: an answer is no longer than a context, and whoever computes it must not
 * wait for a reader. Readers that are interrupted use the cancellation, wait for the end, which is near then, and stay interrupted.
 */
final class Inbox implements Background.Sink {
    private final Deque<Chunk> chunks = new ArrayDeque<>();
    private @Nullable Reply reply;
    private @Nullable Throwable failure;

    @Override
    public synchronized void onChunk(Chunk chunk) {
        chunks.add(chunk);
        notifyAll();
    }

    @Override
    public synchronized void onReply(Reply whole) {
        reply = whole;
        notifyAll();
    }

    @Override
    public synchronized void onFailure(Throwable why) {
        failure = why;
        notifyAll();
    }

    /** The next chunk; null behind the last one. Throws what the answer failed with. */
    synchronized @Nullable Chunk take(Cancellation cancellation) {
        await(false, cancellation);
        Chunk chunk = chunks.poll();
        if (chunk == null) {
            throwFailure();
        }
        return chunk;
    }

    /** Waits for the end. Throws what the answer failed with. */
    synchronized Reply reply(Cancellation cancellation) {
        awaitEnd(cancellation);
        throwFailure();
        if (reply == null) {
            throw new IllegalStateException("the answer ended without a reply");
        }
        return reply;
    }

    synchronized void awaitEnd(Cancellation cancellation) {
        await(true, cancellation);
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
                wait();
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
