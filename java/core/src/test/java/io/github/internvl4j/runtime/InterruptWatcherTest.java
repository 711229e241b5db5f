package io.github.internvl4j.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class InterruptWatcherTest {
    private static boolean waitFor(CountDownLatch latch) {
        // As native code does: without heed to interrupts.
        while (latch.getCount() > 0) {
            Thread.onSpinWait();
        }
        return true;
    }

    @Test
    void anInterruptDuringACallCancelsItAndStaysSet() {
        CountDownLatch cancelled = new CountDownLatch(1);
        try (InterruptWatcher.Watch watch = InterruptWatcher.SHARED.watch(cancelled::countDown)) {
            Thread.currentThread().interrupt();
            assertTrue(watch.during(() -> waitFor(cancelled)));
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void anInterruptOutsideOfCallsIsNotLookedAt() throws InterruptedException {
        InterruptWatcher watcher = new InterruptWatcher(body -> new Thread(body, "watcher"));
        CountDownLatch mine = new CountDownLatch(1);
        CountDownLatch others = new CountDownLatch(1);
        try (InterruptWatcher.Watch watch = watcher.watch(mine::countDown)) {
            watch.during(() -> 1);
            Thread.currentThread().interrupt();
            Thread other = new Thread(() -> {
                try (InterruptWatcher.Watch second = watcher.watch(others::countDown)) {
                    Thread.currentThread().interrupt();
                    second.during(() -> waitFor(others));
                }
            });
            other.start();
            waitFor(others); // the watcher comes to this one after ours
            assertTrue(Thread.interrupted());
            assertEquals(1, mine.getCount());
            other.join();
        }
    }

    @Test
    void aSystemWithoutThreadsIsNoFailureAndTheNextTryMaySucceed() throws InterruptedException {
        CountDownLatch cancelled = new CountDownLatch(1);
        int[] tries = new int[1];
        InterruptWatcher watcher = new InterruptWatcher(body -> {
            if (++tries[0] == 1) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            return new Thread(body, "watcher");
        });
        try (InterruptWatcher.Watch first = watcher.watch(cancelled::countDown)) {
            assertEquals(5, first.during(() -> 5));
            assertFalse(cancelled.await(0, TimeUnit.SECONDS));
            watcher.watch(() -> {}).close();
            assertEquals(2, tries[0]);
            Thread.currentThread().interrupt();
            assertTrue(first.during(() -> waitFor(cancelled)));
            assertTrue(Thread.interrupted());
        }
    }
}
