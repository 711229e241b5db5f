package io.github.internvl4j.runtime;

import io.github.internvl4j.error.ClosedException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.javacpp.Pointer;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Test;

/**
 * Threads that use, try to use and close one handle, in random programs: whatever happens at the same time, the answers are those
 * of some order one behind the other, nothing is inside a freed handle, and it is freed once.
 */
public class HandleInterleavingsTest {
    private final AtomicInteger freed = new AtomicInteger();
    private final Handle<Pointer> handle = new Handle<>("it", new Pointer(), pointer -> freed.incrementAndGet());

    /** What a user saw. */
    @Operation
    public String use() {
        try {
            return handle.use(pointer -> look());
        } catch (ClosedException e) {
            return "closed";
        }
    }

    /** What a canceller saw. */
    @Operation
    public String useIfOpen() {
        AtomicBoolean sound = new AtomicBoolean(true);
        AtomicBoolean inside = new AtomicBoolean();
        handle.useIfOpen(pointer -> {
            inside.set(true);
            sound.set(look().equals("open"));
        });
        return inside.get() ? sound.get() ? "open" : "freed under a user" : "closed";
    }

    /** How often it is freed once this returns. */
    @Operation
    public int close() {
        handle.close();
        return freed.get();
    }

    private String look() {
        int before = freed.get();
        Thread.onSpinWait();
        return before == 0 && freed.get() == 0 ? "open" : "freed under a user";
    }

    @Test
    void anyOrderOfCallsIsOneBehindTheOther() {
        new StressOptions()
                .threads(2)
                .actorsPerThread(3)
                .iterations(10)
                .invocationsPerIteration(200)
                .check(HandleInterleavingsTest.class);
    }
}
