package io.github.internvl4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What is asked: a word of the command line, or a file, which may be longer than such a word. */
final class QuestionOptions {
    /** Stands for standard input where a file is expected. */
    static final String STANDARD = "-";

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(names = "--prompt", parameterConsumer = Verbatim.class, paramLabel = "TEXT", description = "The question.")
    private @Nullable String text;

    @Option(
            names = "--prompt-file",
            paramLabel = "FILE",
            description =
                    "The question, a UTF-8 file of any length; - is standard input. One line end at its end is left out.")
    private @Nullable Path file;

    /** The question; null if none was given. */
    @Nullable
    String read(Streams streams) throws IOException {
        if (text != null && file != null) {
            throw new ParameterException(command.commandLine(), "--prompt and --prompt-file exclude each other");
        }
        if (file == null) {
            return text;
        }
        boolean standard = file.toString().equals(STANDARD);
        byte[] bytes = standard ? streams.in().readAllBytes() : Files.readAllBytes(file);
        String read = Utf8.decode(bytes, standard ? "standard input" : file.toString());
        return read.endsWith("\r\n")
                ? read.substring(0, read.length() - 2)
                : read.endsWith("\n") ? read.substring(0, read.length() - 1) : read;
    }

    /** The question, which must be given. */
    String required(Streams streams) throws IOException {
        String read = read(streams);
        if (read == null) {
            throw new ParameterException(command.commandLine(), "--prompt or --prompt-file is needed");
        }
        return read;
    }
}
