package io.github.internvl4j.host;

import java.lang.System.Logger.Level;
import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What an object owns outside of the heap: freed when the object is closed, or, if that is forgotten, when it is garbage. Then the
 * logger {@code io.github.internvl4j.leaks} tells: as a warning, with the stack that opened it, if the system property
 * {@code internvl4j.leaks} is {@code trace}; otherwise at the level DEBUG.
 */
public final class Resource implements AutoCloseable {
    private static final AtomicLong OPEN = new AtomicLong();

    /** Refers to the owner in no way. */
    private static final class Freeing implements Runnable {
        private final String what;
        private final Runnable free;
        private final @Nullable Throwable opened;
        private volatile boolean closed;

        Freeing(String what, Runnable free) {
            this.what = what;
            this.free = free;
            boolean traced = "trace".equals(System.getProperty("internvl4j.leaks"));
            opened = traced ? new Throwable(what + " was opened here") : null;
        }

        @Override
        public void run() {
            if (!closed) {
                System.getLogger("io.github.internvl4j.leaks")
                        .log(opened == null ? Level.DEBUG : Level.WARNING, what + " was not closed", opened);
            }
            OPEN.decrementAndGet();
            free.run();
        }
    }

    private final Freeing freeing;
    private final Cleaner.Cleanable cleanable;

    /**
     * Watches over the owner.
     *
     * @param what names it: "the model"
     * @param free gives it back; must not refer to the owner
     * @throws OutOfMemoryError if no thread can be started; nothing is owned then
     */
    public Resource(Object owner, String what, Runnable free) {
        freeing = new Freeing(what, free);
        cleanable = Garbage.cleaner().register(owner, freeing);
        OPEN.incrementAndGet();
    }

    /** How many there are in this process that are not freed. */
    public static long open() {
        return OPEN.get();
    }

    /** Frees it, once. */
    @Override
    public void close() {
        freeing.closed = true;
        cleanable.clean();
    }
}
