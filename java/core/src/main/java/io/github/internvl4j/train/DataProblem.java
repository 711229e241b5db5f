package io.github.internvl4j.train;

import io.github.internvl4j.host.Members;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A line of a training set that is not learnt, and why. */
public final class DataProblem {
    private final Path file;
    private final long line;
    private final String reason;

    DataProblem(Path file, long line, String reason) {
        this.file = Objects.requireNonNull(file, "file");
        this.line = line;
        this.reason = Objects.requireNonNull(reason, "reason");
    }

    /** The file of lines. */
    public Path file() {
        return file;
    }

    /** From 1 on, as an editor counts. */
    public long line() {
        return line;
    }

    /** What was found. */
    public String reason() {
        return reason;
    }

    private Members members() {
        return Members.of("file", file).and("line", line).and("reason", reason);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof DataProblem that && members().equals(that.members());
    }

    @Override
    public int hashCode() {
        return members().hashCode();
    }

    /** {@code FILE:LINE: why}. */
    @Override
    public String toString() {
        return file + ":" + line + ": " + reason;
    }
}
