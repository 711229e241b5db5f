package io.github.internvl4j.cli;

import io.github.internvl4j.InternVL;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** {@code internvl4j COMMAND}. Exit status 0: done, 1: failed, 2: wrong usage. */
@Command(
        name = "internvl4j",
        description = "Runs InternVL-Chat-V1-2 from its published checkpoint.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        scope = ScopeType.INHERIT,
        usageHelpAutoWidth = true,
        subcommands = {
            ChatCommand.class,
            BatchCommand.class,
            DumpCommand.class,
            CompareCommand.class,
            TokenizeCommand.class,
            DetokenizeCommand.class,
            PreprocessCommand.class,
            BenchCommand.class,
            InfoCommand.class
        })
public final class Main implements Runnable {
    /** Standard streams, so that commands can be run inside another program. */
    record Streams(InputStream in, PrintStream out, PrintStream err) {
        static Streams system() {
            return new Streams(System.in, utf8(System.out), utf8(System.err));
        }

        private static PrintStream utf8(PrintStream stream) {
            return new PrintStream(stream, true, StandardCharsets.UTF_8);
        }
    }

    /** Told by the native library too, so that a broken installation shows here. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"internvl4j " + InternVL.version()};
        }
    }

    @Option(
            names = "--verbose",
            description = "On failure, also print where it happened.",
            scope = ScopeType.INHERIT)
    boolean verbose;

    final Streams streams;

    private Main(Streams streams) {
        this.streams = streams;
    }

    /** The program. */
    public static void main(String[] args) {
        System.exit(execute(Streams.system(), args));
    }

    /** Runs a command and returns its exit status. */
    static int execute(Streams streams, String... args) {
        Main main = new Main(streams);
        CommandLine line = new CommandLine(main);
        line.setOut(new PrintWriter(streams.out(), true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(streams.err(), true, StandardCharsets.UTF_8));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setExecutionExceptionHandler((failure, command, parsed) -> main.report(failure));
        line.setParameterExceptionHandler((failure, arguments) -> main.usage(failure));
        int status = line.execute(args);
        return streams.out().checkError() && status == 0 ? 0 : status; // whoever read our output may stop reading
    }

    private int report(Throwable failure) {
        streams.err().println("internvl4j: " + Failures.describe(failure));
        if (verbose) {
            failure.printStackTrace(streams.err());
        }
        return 1;
    }

    private int usage(CommandLine.ParameterException failure) {
        streams.err().println("internvl4j: " + Failures.oneLine(failure.getMessage()) + "; see "
                + failure.getCommandLine().getCommandSpec().qualifiedName() + " --help");
        return CommandLine.ExitCode.USAGE;
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                new CommandLine(this), "a command is needed: chat, batch, dump, compare, tokenize, bench, info, ...");
    }
}
