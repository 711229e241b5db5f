package io.github.internvl4j;

import java.util.ArrayList;
import java.util.List;

/**
 * Stops an answer from another thread. The answer ends within the time of a layer, with what there was and
 * {@link FinishReason#CANCELLED}. Once used, everything begun with it ends at once.
 */
public final class Cancellation {
    private final List<Runnable> hooks = new ArrayList<>();
    private boolean cancelled;

    /** Not used yet. */
    public Cancellation() {}

    /** Stops what was begun with this, now and later. Idempotent. */
    public void cancel() {
        List<Runnable> now;
        synchronized (this) {
            cancelled = true;
            now = List.copyOf(hooks);
        }
        now.forEach(Runnable::run);
    }

    /** Whether {@link #cancel} was called. */
    public synchronized boolean isCancelled() {
        return cancelled;
    }

    /** Runs the hook on {@link #cancel}, also if that was before. */
    void onCancel(Runnable hook) {
        boolean run;
        synchronized (this) {
            hooks.add(hook);
            run = cancelled;
        }
        if (run) {
            hook.run();
        }
    }

    synchronized void forget(Runnable hook) {
        hooks.remove(hook);
    }
}
