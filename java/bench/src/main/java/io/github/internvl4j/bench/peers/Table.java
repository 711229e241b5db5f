package io.github.internvl4j.bench.peers;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/** The results as a person reads them; Markdown, so that they can be kept as they are. */
final class Table {
    private static final String NOTE = """

            Medians of turns taken alternately, least and greatest in brackets; the ratio is that of each pair of turns.
            Shares: of the measured read bandwidth for decode, else of the measured peak of what is multiplied: f32, bf16 or bytes.
            Ours in bf16 multiplies bf16 weights with f32 activations, in f32; only with "bf16 activations" does it multiply bf16 by
            bf16, as PyTorch, llama.cpp and ik_llama.cpp do whenever their weights are bf16.
            """;

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
                            trial.ours().way(),
                            speed(trial.ourSpeed()),
                            percent(trial.ourShare()),
                            trial.peer().description(),
                            speed(trial.peerSpeed()),
                            percent(trial.peerShare()),
                            number(trial.ratio().median()),
                            number(trial.ratio().min()),
                            number(trial.ratio().max())));
        }
        out.append(NOTE);
        return out.toString();
    }

    /** Versions and settings of all that is in the table, each once. */
    static String settings(Results results) {
        Set<String> lines = new TreeSet<>();
        for (TrialResult trial : results.best()) {
            lines.add(trial.ours().description() + ": " + trial.ourSettings());
            lines.add(trial.peer().label() + ": " + trial.peerSettings());
        }
        return String.join("\n", lines) + "\n";
    }

    static String failures(List<TrialResult> trials) {
        StringBuilder out = new StringBuilder();
        for (TrialResult trial : trials) {
            if (trial.failure() != null) {
                out.append("not compared: %s, %s, with %s: %s%n"
                        .formatted(
                                trial.task(), trial.ours().way(), trial.peer().description(), trial.failure()));
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
        return Double.isNaN(share) ? "unknown" : Math.round(share * 100) + "%";
    }
}
