package io.github.internvl4j.bench.peers;

import io.github.internvl4j.bench.peers.Trial.Report;
import io.github.internvl4j.runtime.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** Runs trials, each in a JVM of its own: what a peer's library does to it, crashing included, stays there. */
final class TrialRunner {
    private static final String JAVACPP_CACHE = "org.bytedeco.javacpp.cacheDir";
    private static final TimeValue PATIENCE = TimeValue.minutes(30);

    private final Path folder;
    private final Machine machine;
    private final int turns;

    /**
     * @param folder for the trials' files and what JMH and the peers say
     * @param turns of each side that count, after one that warms up
     */
    TrialRunner(Path folder, Machine machine, int turns) {
        this.folder = folder;
        this.machine = machine;
        this.turns = turns;
    }

    TrialResult run(Task task, Side ours, Side peer, @Nullable Path gguf, @Nullable Path llamaBench)
            throws IOException {
        String name = (task + " " + ours.way() + " " + peer.description()).replaceAll("\\W+", "-");
        Path file = folder.resolve(name + ".json");
        Path report = folder.resolve(name + "-report.json");
        Path log = folder.resolve(name + ".log");
        Files.deleteIfExists(report);
        Json.write(file.toFile(), new Trial(task, ours, peer, machine.threads(), gguf, llamaBench, report));
        Collection<RunResult> results = jmh(file, log, peer);
        if (!Files.exists(report)) {
            return failed(task, ours, peer, "its process ended, see " + log);
        }
        Report said = Json.read(report.toFile(), Report.class);
        if (said.failure() != null) {
            return failed(task, ours, peer, said.failure());
        }
        List<IterationResult> iterations = results.stream()
                .flatMap(result -> result.getBenchmarkResults().stream())
                .flatMap(fork -> fork.getIterationResults().stream())
                .toList();
        return new TrialResult(
                task,
                ours,
                peer,
                said.ours(),
                said.peer(),
                seconds(iterations, "ours"),
                seconds(iterations, "peer"),
                said.cost(),
                machine,
                null);
    }

    private Collection<RunResult> jmh(Path trial, Path log, Side peer) throws IOException {
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include(SideBySide.class.getName())
                .param("trial", trial.toString())
                .warmupIterations(1)
                .measurementIterations(turns)
                .timeout(PATIENCE)
                .shouldFailOnError(false)
                .output(log.toString())
                .jvmArgsAppend(jvmArguments(peer).toArray(String[]::new));
        try {
            return new Runner(options.build()).run();
        } catch (RunnerException e) {
            throw new IOException("JMH could not run " + trial, e);
        }
    }

    private static List<String> jvmArguments(Side peer) {
        List<String> arguments = new ArrayList<>();
        // JavaCPP would count the models as its own and refuse to allocate.
        arguments.add("-Dorg.bytedeco.javacpp.maxPhysicalBytes=0");
        String cache = System.getProperty(JAVACPP_CACHE, System.getProperty("user.home") + "/.javacpp/cache");
        if (peer.engine() == Engine.PYTORCH) {
            arguments.add(Torch.blasArgument(peer.variant()));
            // Which one it is, is a link in the cache: each needs a cache of its own.
            cache += "/" + peer.variant();
        }
        arguments.add("-D" + JAVACPP_CACHE + "=" + cache);
        return arguments;
    }

    private static double[] seconds(List<IterationResult> iterations, String side) {
        return iterations.stream()
                .mapToDouble(
                        iteration -> iteration.getSecondaryResults().get(side).getScore())
                .toArray();
    }

    private TrialResult failed(Task task, Side ours, Side peer, String reason) {
        return new TrialResult(task, ours, peer, "", "", new double[0], new double[0], null, machine, reason);
    }
}
