package io.github.internvl4j.host;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Work in pieces, shared between the calling thread and those of the common pool. Unlike a parallel stream it is done, by
 * the caller alone, where no thread can be started.
 */
public final class Pieces {
    private final int count;
    private final IntConsumer work;
    private final AtomicInteger next = new AtomicInteger();
    private final CountDownLatch left;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    private Pieces(int count, IntConsumer work) {
        this.count = count;
        this.work = work;
        left = new CountDownLatch(count);
    }

    /**
     * Does every piece once, and returns when all are done.
     *
     * @param count of the pieces, numbered from 0
     * @param work does one; what it throws is thrown here, and the pieces not begun are left out
     */
    public static void run(int count, IntConsumer work) {
        Pieces pieces = new Pieces(count, work);
        int helpers = Math.min(count, ForkJoinPool.getCommonPoolParallelism() + 1) - 1;
        try {
            for (int i = 0; i < helpers; i++) {
                ForkJoinPool.commonPool().execute(pieces::take);
            }
        } catch (OutOfMemoryError | RejectedExecutionException noThread) {
            // Whoever is there does it. A helper that comes later finds nothing to do.
        }
        pieces.take();
        pieces.awaitOthers();
        Throwable failure = pieces.failure.get();
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure != null) {
            throw (RuntimeException) failure; // a piece throws nothing else
        }
    }

    private void take() {
        for (int piece = next.getAndIncrement(); piece < count; piece = next.getAndIncrement()) {
            try {
                if (failure.get() == null) {
                    work.accept(piece);
                }
            } catch (RuntimeException | Error e) {
                failure.compareAndSet(null, e);
            } finally {
                left.countDown();
            }
        }
    }

    /** Waits for the pieces that others have begun; an interrupt is kept for who looks for it. */
    private void awaitOthers() {
        boolean interrupted = false;
        while (true) {
            try {
                left.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
