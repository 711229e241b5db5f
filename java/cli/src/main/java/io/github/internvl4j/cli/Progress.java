package io.github.internvl4j.cli;

import me.tongfei.progressbar.InteractiveConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Progress bars with one look, on a terminal behind standard error. */
final class Progress {
    private static final long MEBIBYTE = 1 << 20;

    private Progress() {}

    /** Counts things. */
    static ProgressBar ofThings(String task, long total, Streams streams) {
        return builder(task, total, streams).build();
    }

    /** Counts bytes. */
    static ProgressBar ofBytes(String task, long total, Streams streams) {
        return builder(task, total, streams).setUnit(" MiB", MEBIBYTE).build();
    }

    private static ProgressBarBuilder builder(String task, long total, Streams streams) {
        // With the width given, the library does not open the terminal itself, which a conversation needs.
        return new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(total)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(200)
                .setConsumer(new InteractiveConsoleProgressBarConsumer(streams.err(), Terminals.errorWidth() - 1));
    }
}
