package io.github.internvl4j.runtime;

import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.host.Resource;
import java.lang.ref.Reference;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.bytedeco.javacpp.Pointer;

/**
 * Owns one native handle: many threads may use it, one closes it, and it is freed exactly once, after the last user has
 * left. A handle that is forgotten is freed when it is garbage.
 *
 * @param <P> the handle's JavaCPP class
 */
final class Handle<P extends Pointer> implements AutoCloseable {
    private final String what;
    private final P pointer;
    private final Resource owned;
    // Read: inside a native call. Write: freeing.
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean closed;

    /**
     * @param what names the handle in errors: "the model"
     * @param pointer the native handle
     * @param free gives it back; must not refer to this object
     */
    Handle(String what, P pointer, Consumer<P> free) {
        this.what = what;
        this.pointer = pointer;
        owned = new Resource(this, what, () -> free.accept(pointer));
    }

    /**
     * Runs native code with the handle, which is not freed meanwhile.
     *
     * @throws ClosedException if it was
     */
    <T> T use(Function<? super P, T> body) {
        lock.readLock().lock();
        try {
            if (closed) {
                throw new ClosedException(what + " is closed");
            }
            return body.apply(pointer);
        } finally {
            lock.readLock().unlock();
            // The native code knows the pointer alone, and this object may have no other user left.
            Reference.reachabilityFence(this);
        }
    }

    /** Like {@link #use}; does nothing if the handle is closed. */
    void useIfOpen(Consumer<? super P> body) {
        lock.readLock().lock();
        try {
            if (!closed) {
                body.accept(pointer);
            }
        } finally {
            lock.readLock().unlock();
            Reference.reachabilityFence(this);
        }
    }

    /** Like {@link #use} for a call that returns a status. */
    void call(Function<? super P, Integer> body) {
        // The message of a failure is the calling thread's, so the status is looked at on this thread.
        NativeLibrary.check(use(body));
    }

    /** Waits for the users inside, then frees. Idempotent. */
    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            closed = true;
            owned.close();
        } finally {
            lock.writeLock().unlock();
        }
    }
}
