package io.github.internvl4j.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class ChunksTest {
    @Test
    void everyChunkIsDoneOnceAlsoInsideOfOthers() {
        AtomicIntegerArray done = new AtomicIntegerArray(40 * 25);
        Chunks.run(40, outer -> Chunks.run(25, inner -> done.incrementAndGet(25 * outer + inner)));
        for (int i = 0; i < done.length(); i++) {
            assertEquals(1, done.get(i));
        }
        Chunks.run(0, chunk -> {
            throw new IllegalStateException();
        });
    }

    @Test
    void aFailureIsThrownAsItIs() {
        RuntimeException failure = new IllegalStateException("chunk 7");
        assertSame(
                failure,
                assertThrows(
                        RuntimeException.class,
                        () -> Chunks.run(100, chunk -> {
                            if (chunk == 7) {
                                throw failure;
                            }
                        })));
        OutOfMemoryError full = new OutOfMemoryError("Java heap space");
        assertSame(
                full,
                assertThrows(
                        OutOfMemoryError.class,
                        () -> Chunks.run(1, chunk -> {
                            throw full;
                        })));
    }

    @Test
    void whatWasShortIsNamed() {
        assertNamed("threads", "unable to create native thread: possibly out of memory or limits reached");
        assertNamed("-Xmx", "Java heap space");
        assertNamed("MaxMetaspaceSize", "Metaspace");
        assertNamed("MaxDirectMemorySize", "Cannot reserve 9 bytes of direct buffer memory");
    }

    private static void assertNamed(String what, String message) {
        String said = Shortage.of(new OutOfMemoryError(message));
        assertTrue(said.contains(what), said);
    }
}
