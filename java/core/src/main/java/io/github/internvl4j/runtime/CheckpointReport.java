package io.github.internvl4j.runtime;

import io.github.internvl4j.CheckReport.NonFinite;
import java.util.ArrayList;
import java.util.List;

/** The parts of a {@link io.github.internvl4j.CheckReport}, which says what each one is. */
public record CheckpointReport(
        List<String> missing, List<String> wrong, List<String> unexpected, List<NonFinite> nonFinite) {
    /** Copies the lists. */
    public CheckpointReport {
        missing = List.copyOf(missing);
        wrong = List.copyOf(wrong);
        unexpected = List.copyOf(unexpected);
        nonFinite = List.copyOf(nonFinite);
    }

    /** With one more thing that is wrong. */
    public CheckpointReport andWrong(String what) {
        List<String> all = new ArrayList<>(wrong);
        all.add(what);
        return new CheckpointReport(missing, all, unexpected, nonFinite);
    }
}
