package io.github.internvl4j.cli;

import io.github.internvl4j.LoadProgress;
import java.util.function.Consumer;
import me.tongfei.progressbar.ProgressBar;
import org.jspecify.annotations.Nullable;

/** A progress bar over a checkpoint's bytes, where someone is watching and it takes long enough to be seen. */
final class LoadBar implements Consumer<LoadProgress>, AutoCloseable {
    private static final long PATIENCE_NANOS = 1_000_000_000;

    private final String task;
    private final Streams streams;
    private final long started = System.nanoTime();
    private boolean looked;
    private @Nullable ProgressBar bar;

    LoadBar(String task, Streams streams) {
        this.task = task;
        this.streams = streams;
    }

    @Override
    public void accept(LoadProgress progress) {
        show(progress.bytesDone(), progress.bytesTotal());
    }

    void show(long bytesDone, long bytesTotal) {
        if (!looked && System.nanoTime() - started > PATIENCE_NANOS) {
            looked = true;
            bar = streams.errIsTerminal() ? Progress.ofBytes(task, bytesTotal, streams) : null;
        }
        if (bar != null) {
            if (bytesDone > bar.getCurrent()) {
                bar.setExtraMessage("");
            }
            bar.stepTo(bytesDone);
        }
    }

    /** Says something beside the bar until it moves, and whether there is one. */
    boolean say(String text) {
        if (bar == null) {
            return false;
        }
        bar.setExtraMessage(" " + text);
        return true;
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
