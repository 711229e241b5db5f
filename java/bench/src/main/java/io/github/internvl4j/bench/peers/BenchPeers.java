package io.github.internvl4j.bench.peers;

import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.runtime.Machine;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The command line of the comparisons. */
@Command(
        name = "bench-peers",
        sortOptions = false,
        description = {
            "Compares our speed with other engines': the same shapes with random weights, on the same threads, by turns.",
            "A peer that cannot be loaded is named with the reason, and the rest goes on."
        })
public final class BenchPeers implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this and stop.")
    private boolean help;

    @Option(names = "--list", description = "Print the comparisons' names and stop.")
    private boolean list;

    @Option(
            names = "--cases",
            split = ",",
            paramLabel = "NAME",
            description = "Only comparisons whose names begin so, such as prefill or decode-0-int8.")
    private List<String> cases = List.of();

    @Option(
            names = "--peers",
            split = ",",
            paramLabel = "PEER",
            converter = EngineName.class,
            description = "Only these: onednn, llama.cpp, ik_llama.cpp, pytorch.")
    private List<Engine> peers = List.of();

    @Option(names = "--quick", description = "Tiny shapes, to see in a few minutes that all of it works.")
    private boolean quick;

    @Option(
            names = "--turns",
            defaultValue = "5",
            paramLabel = "N",
            description = "Turns of each side that count, after one that warms up (default: ${DEFAULT-VALUE}).")
    private int turns;

    @Option(
            names = "--threads",
            defaultValue = "0",
            paramLabel = "N",
            description = "Threads of each side; 0: all (default).")
    private int threads;

    @Option(
            names = "--ik-llama-bench",
            paramLabel = "FILE",
            description = "The llama-bench of an ik_llama.cpp built here; without it that peer is left out.")
    private @Nullable Path ikLlamaBench;

    @Option(
            names = "--llama-bench",
            paramLabel = "FILE",
            description = "The llama-bench of a llama.cpp built here, in place of the Java binding's prebuilt library.")
    private @Nullable Path llamaBench;

    @Option(
            names = "--folder",
            defaultValue = "build/bench-peers",
            paramLabel = "DIR",
            description = "For model files, which are kept, and logs (default: ${DEFAULT-VALUE}).")
    private Path folder;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "Where all results go (default: results.json in the folder).")
    private @Nullable Path json;

    @Option(names = "--merge", description = "Keep what that file has of other comparisons.")
    private boolean merge;

    @Option(names = "--svg", paramLabel = "FILE", description = "A chart of the results.")
    private @Nullable Path svg;

    /** By its label. */
    static final class EngineName implements ITypeConverter<Engine> {
        @Override
        public Engine convert(String value) {
            return Arrays.stream(Engine.values())
                    .filter(engine ->
                            engine != Engine.INTERNVL4J && engine.toString().equals(value))
                    .findFirst()
                    .orElseThrow(() -> new TypeConversionException(
                            "expected onednn, llama.cpp, ik_llama.cpp or pytorch but was '" + value + "'"));
        }
    }

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new BenchPeers()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        if (turns < 1) {
            throw new ParameterException(spec.commandLine(), "--turns is " + turns + ", expected at least 1");
        }
        PrintStream out = System.out;
        List<Comparison> chosen = chosen();
        if (list) {
            chosen.forEach(comparison -> out.println(comparison.name()));
            return 0;
        }
        Files.createDirectories(folder);
        LoadOptions options = LoadOptions.defaults().threads(threads);
        Machine machine = Machine.measure(options).best(Machine.measure(options));
        out.printf(
                "%s, %d threads: reads %.1f GB/s, %.0f GFLOP/s in f32, %.0f in bf16 by bf16, %.0f GOP/s in bytes%n",
                processor(),
                machine.threads(),
                machine.readGigabytesPerSecond(),
                machine.f32Gigaflops(),
                machine.bf16Gigaflops(),
                machine.int8Gigaops());
        Results results = new Results(processor(), machine.threads(), run(chosen, machine, out));
        Path file = Objects.requireNonNullElse(json, folder.resolve("results.json"));
        Results all = merge ? results.onTopOf(file.toFile()) : results;
        Json.write(file.toFile(), all);
        out.println();
        out.print(Table.of(all));
        out.println();
        out.print(Table.settings(all));
        out.print(Table.failures(results.trials()));
        if (svg != null) {
            Files.writeString(svg, Chart.of(all));
        }
        return 0;
    }

    private List<Comparison> chosen() {
        List<Comparison> chosen = new ArrayList<>(Comparison.all(quick));
        for (String begin : cases) {
            if (chosen.stream().noneMatch(comparison -> comparison.name().startsWith(begin))) {
                throw new ParameterException(
                        spec.commandLine(), "--cases has '" + begin + "', which no comparison begins with; see --list");
            }
        }
        if (!cases.isEmpty()) {
            chosen.removeIf(comparison -> cases.stream().noneMatch(comparison.name()::startsWith));
        }
        return chosen;
    }

    private List<TrialResult> run(List<Comparison> comparisons, Machine machine, PrintStream out) throws IOException {
        Set<Engine> engines = peers.isEmpty() ? EnumSet.allOf(Engine.class) : EnumSet.copyOf(peers);
        if (ikLlamaBench == null) {
            engines.remove(Engine.IK_LLAMA_CPP);
        }
        TrialRunner runner = new TrialRunner(folder.toAbsolutePath(), machine, turns);
        List<TrialResult> results = new ArrayList<>();
        for (Comparison comparison : comparisons) {
            for (Side peer : comparison.peers()) {
                if (!engines.contains(peer.engine())
                        || results.stream().anyMatch(made -> made.isOf(comparison, peer))) {
                    continue; // of the second kind are comparisons that differ in their shapes only, if all are tiny
                }
                TrialResult result =
                        runner.run(comparison.task(), comparison.ours(), peer, gguf(comparison, peer), bench(peer));
                out.println(line(comparison, result));
                results.add(result);
            }
        }
        return results;
    }

    private static String line(Comparison comparison, TrialResult result) {
        String peer = (result.peer().label() + " " + result.peer().variant()).strip();
        if (result.failure() != null) {
            return "%s: %s: %s".formatted(comparison.name(), peer, result.failure());
        }
        return "%s: %s, %s: %s; ratio %s"
                .formatted(
                        comparison.name(),
                        Table.number(result.ourSpeed().median()),
                        peer,
                        Table.number(result.peerSpeed().median()),
                        Table.number(result.ratio().median()));
    }

    private @Nullable Path gguf(Comparison comparison, Side peer) throws IOException {
        return switch (peer.engine()) {
            case LLAMA_CPP, IK_LLAMA_CPP ->
                RandomGguf.in(folder.toAbsolutePath(), comparison.task().shape(), peer.format());
            case INTERNVL4J, ONEDNN, PYTORCH -> null;
        };
    }

    private @Nullable Path bench(Side peer) {
        return switch (peer.engine()) {
            case LLAMA_CPP -> llamaBench;
            case IK_LLAMA_CPP -> ikLlamaBench;
            case INTERNVL4J, ONEDNN, PYTORCH -> null;
        };
    }

    /** Linux's name for it; elsewhere Java's for its kind. */
    private static String processor() throws IOException {
        Path information = Path.of("/proc/cpuinfo");
        if (Files.isReadable(information)) {
            for (String line : Files.readAllLines(information)) {
                if (line.startsWith("model name")) {
                    return line.substring(line.indexOf(':') + 1).strip();
                }
            }
        }
        return System.getProperty("os.arch");
    }
}
