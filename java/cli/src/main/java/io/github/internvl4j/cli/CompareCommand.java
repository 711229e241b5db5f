package io.github.internvl4j.cli;

import io.github.internvl4j.tensor.ActivationComparison;
import io.github.internvl4j.tensor.ActivationComparison.Entry;
import io.github.internvl4j.tensor.ActivationComparison.Status;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Two files of activations, layer by layer. */
@Command(
        name = "compare",
        description = "Compares two files of activations layer by layer; exit status 1 over the tolerance.",
        footer = {"", "Example:", "  internvl4j compare ours.safetensors original.safetensors --tolerance 1e-4"})
final class CompareCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Parameters(index = "0", paramLabel = "A", description = "What was computed.")
    private Path actual;

    @Parameters(index = "1", paramLabel = "B", description = "What was expected.")
    private Path reference;

    @Option(
            names = "--tolerance",
            defaultValue = "1e-4",
            paramLabel = "X",
            description = "Largest relative error that passes (default: ${DEFAULT-VALUE}).")
    private double tolerance;

    @Option(
            names = "--prefix",
            defaultValue = "",
            paramLabel = "P",
            description = "Compare only names that begin with this, in whichever file has it, such as image.0/.")
    private String prefix;

    @Override
    public Integer call() {
        ActivationComparison comparison = ActivationComparison.compare(actual, reference, tolerance, prefix);
        PrintStream out = main.streams.out();
        int width = comparison.entries().stream()
                .mapToInt(entry -> entry.name().length())
                .max()
                .orElse(4);
        String head = "%-" + width + "s  %14s  %14s  %8s%n";
        out.printf(Locale.ROOT, head, "name", "relative error", "max difference", "growth");
        for (Entry entry : comparison.entries()) {
            out.println(String.format(Locale.ROOT, "%-" + width + "s  ", entry.name()) + row(entry));
        }
        summarize(out, comparison);
        return comparison.passes() ? 0 : 1;
    }

    private static String row(Entry entry) {
        String mark = entry.withinTolerance() ? "" : "  <-- over";
        if (entry.status() != Status.COMPARED) {
            return entry.status().name().toLowerCase(Locale.ROOT).replace('_', ' ') + " " + entry.actualShape() + " "
                    + entry.referenceShape() + mark;
        }
        String growth = Double.isNaN(entry.growth()) ? "" : String.format(Locale.ROOT, "%.2f", entry.growth());
        return String.format(
                Locale.ROOT, "%14.3e  %14.3e  %8s%s", entry.relativeError(), entry.maxDifference(), growth, mark);
    }

    private static void summarize(PrintStream out, ActivationComparison comparison) {
        comparison.firstOverTolerance().ifPresent(entry -> out.println("first over the tolerance: " + entry.name()));
        comparison.largestGrowth().ifPresent(entry -> {
            out.printf(Locale.ROOT, "grows most at: %s (x %.2f)%n", entry.name(), entry.growth());
        });
        out.println(comparison.passes() ? "within the tolerance" : "not within the tolerance");
    }
}
