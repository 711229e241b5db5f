package io.github.internvl4j.cli;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.hub.Hub;
import io.github.internvl4j.hub.HubOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * {@code internvl4j COMMAND}. Exit status 0: done, 1: failed, 2: wrong usage, 130 and 143: ended by Ctrl-C and by a request to
 * end.
 */
@Command(
        name = "internvl4j",
        description = "Runs the models of the InternVL-Chat family from their published checkpoints.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        scope = ScopeType.INHERIT,
        usageHelpAutoWidth = true,
        footer = {
            "",
            "Examples:",
            "  internvl4j pull OpenGVLab/InternVL3-1B",
            "  internvl4j info --model OpenGVLab/InternVL3-1B",
            "  internvl4j chat --model DIR --image photo.jpg --prompt 'Please describe the image shortly.'",
            "  internvl4j chat --help"
        },
        subcommands = {
            PullCommand.class,
            ChatCommand.class,
            BatchCommand.class,
            ServeCommand.class,
            DumpCommand.class,
            CompareCommand.class,
            TokenizeCommand.class,
            DetokenizeCommand.class,
            PreprocessCommand.class,
            BenchCommand.class,
            LoadCommand.class,
            EvaluateCommand.class,
            InfoCommand.class,
            ModelsCommand.class,
            QuantizeCommand.class,
            TrainCommand.class,
            MergeCommand.class
        })
public final class Main implements Runnable {
    /** Told by the native library too, so that a broken installation shows here. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"internvl4j " + InternVL.version()};
        }
    }

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--verbose",
            description = "Tell more, and on failure also where it happened.",
            scope = ScopeType.INHERIT)
    private boolean verbose;

    final Streams streams;
    private final Map<String, String> environment;

    private Main(Streams streams, Map<String, String> environment) {
        this.streams = streams;
        this.environment = environment;
    }

    /** The program. */
    public static void main(String[] args) {
        System.exit(execute(Streams.system(), ProcessArguments.typed(args)));
    }

    /** Runs a command and returns its exit status. */
    static int execute(Streams streams, String... args) {
        return execute(streams, System.getenv(), args);
    }

    /** The same with other variables of the environment. */
    static int execute(Streams streams, Map<String, String> environment, String... args) {
        Main main = new Main(streams, environment);
        return main.finish(main.run(args));
    }

    /** The hub and the cache that the environment names. */
    Hub hub() {
        return new Hub(HubOptions.fromEnvironment(environment));
    }

    /** A variable of the environment; null if it is not set. */
    @Nullable
    String variable(String name) {
        return environment.get(name);
    }

    private int run(String... args) {
        CommandLine line = new CommandLine(this);
        line.setOut(new PrintWriter(streams.out(), true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(streams.err(), true, StandardCharsets.UTF_8));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        Converters.register(line);
        line.registerConverter(ModelFolder.class, typed -> new ModelFolder(typed, this::hub));
        line.setExpandAtFiles(false); // a text may begin with @
        line.setExecutionExceptionHandler((failure, command, parsed) -> report(failure));
        line.setParameterExceptionHandler((failure, arguments) -> usage(failure));
        try {
            return line.execute(args);
        } catch (Throwable failure) { // picocli hands on only exceptions, but memory may run out
            return report(failure);
        }
    }

    /** The status, unless the output did not arrive. */
    private int finish(int status) {
        IOException failure = streams.outFailure();
        if (status != 0 || failure == null || Failures.isBrokenPipe(failure)) {
            return status;
        }
        streams.err().println("internvl4j: standard output cannot be written: " + failure.getMessage());
        return 1;
    }

    /** Tells a failure as one line, and with {@code --verbose} where it happened. */
    int report(Throwable failure) {
        streams.err().println("internvl4j: " + Failures.describe(failure));
        if (verbose) {
            failure.printStackTrace(streams.err());
        }
        return 1;
    }

    /** Tells something that only matters with {@code --verbose}. */
    void detail(String text) {
        if (verbose) {
            streams.err().println("internvl4j: " + text);
        }
    }

    private int usage(CommandLine.ParameterException failure) {
        String message = Failures.oneLine(failure.getMessage()).replaceFirst("^Error: ", "");
        streams.err()
                .println("internvl4j: " + message + "; see "
                        + failure.getCommandLine().getCommandSpec().qualifiedName() + " --help");
        return CommandLine.ExitCode.USAGE;
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(),
                "a command is needed, one of "
                        + String.join(", ", spec.subcommands().keySet()));
    }
}
