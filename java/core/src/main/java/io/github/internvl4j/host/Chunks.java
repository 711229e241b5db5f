package io.github.internvl4j.host;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Work in chunks, shared between the calling thread and those of the common pool. Unlike a parallel stream it is done, by
 * the caller alone, where no thread can be started.
 */
public final class Chunks {
    private final int count;
    private final IntConsumer work;
    private final AtomicInteger next = new AtomicInteger();
    private final CountDownLatch left;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    private Chunks(int count, IntConsumer work) {
        this.count = count;
        this.work = work;
        left = new CountDownLatch(count);
    }

    /**
     * Does every chunk once, and returns when all are done.
     *
     * @param count of the chunks, numbered from 0
     * @param work does one; what it throws is thrown here, and the chunks not begun are left out
     */
    public static void run(int count, IntConsumer work) {
        Chunks chunks = new Chunks(count, work);
        int helpers = Math.min(count, ForkJoinPool.getCommonPoolParallelism() + 1) - 1;
        try {
            for (int i = 0; i < helpers; i++) {
                ForkJoinPool.commonPool().execute(chunks::take);
            }
        } catch (OutOfMemoryError | RejectedExecutionException noThread) {
            // Whoever is there does it. A helper that comes later finds nothing to do.
        }
        chunks.take();
        chunks.awaitOthers();
        Throwable failure = chunks.failure.get();
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure != null) {
            throw (RuntimeException) failure; // a chunk throws nothing else
        }
    }

    private void take() {
        for (int chunk = next.getAndIncrement(); chunk < count; chunk = next.getAndIncrement()) {
            try {
                if (failure.get() == null) {
                    work.accept(chunk);
                }
            } catch (RuntimeException | Error e) {
                failure.compareAndSet(null, e);
            } finally {
                left.countDown();
            }
        }
    }

    /** Waits for the chunks that others have begun; an interrupt is kept for who looks for it. */
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
