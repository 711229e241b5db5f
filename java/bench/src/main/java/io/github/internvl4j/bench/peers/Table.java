package io.github.internvl4j.bench.peers;

import java.util.List;
import java.util.Locale;

/** The results as a person reads them; Markdown, so that they can be kept as they are. */
final class Table {
    private Table() {}

    static String of(Results results) {
        StringBuilder out = new StringBuilder();
        out.append("| task | internvl4j | | share | peer | | share | ratio |\n");
        out.append("|---|---|---|---|---|---|---|---|\n");
        for (TrialResult trial : results.best()) {
            out.append("| %s, %s | %s | %s | %s | %s | %s | %s | **%s** (%s to %s) |%n"
                    .formatted(
                            trial.task(),
                            trial.task().kind().unit(),
                            trial.ours().format(),
                            speed(trial.ourSpeed()),
                            percent(trial.ourShare()),
                            trial.peer().label()
                                    + (trial.peer().variant().isEmpty() ? "" : ", " + trial.peer().variant()),
                            speed(trial.peerSpeed()),
                            percent(trial.peerShare()),
                            number(trial.ratio().median()),
                            number(trial.ratio().min()),
                            number(trial.ratio().max())));
        }
        out.append("\nMedians of turns taken alternately, least and greatest in brackets; the ratio is that of each pair of turns.\n");
        out.append("Shares: of the read bandwidth for decode, of the peak of f32 or of bytes for all else, both measured in this run.\n");
        return out.toString();
    }

    static String failures(List<TrialResult> trials) {
        StringBuilder out = new StringBuilder();
        for (TrialResult trial : trials) {
            if (trial.failure() != null) {
                out.append("not compared: %s with %s %s: %s%n"
                        .formatted(trial.task(), trial.peer().label(), trial.peer().variant(), trial.failure()));
            }
        }
        return out.toString();
    }

    private static String speed(Spread speed) {
        return "%s (%s to %s)".formatted(number(speed.median()), number(speed.min()), number(speed.max()));
    }

    /** Three digits that count. */
    static String number(double value) {
        double magnitude = Math.abs(value);
        int decimals = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3;
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    private static String percent(double share) {
        return Math.round(share * 100) + "%";
    }
}
