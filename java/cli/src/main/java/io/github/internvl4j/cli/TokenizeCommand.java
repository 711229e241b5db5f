package io.github.internvl4j.cli;

import io.github.internvl4j.server.openai.JsonText;
import io.github.internvl4j.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Text to ids. */
@Command(
        name = "tokenize",
        description = "Prints a text's token ids as a JSON array.",
        footer = {
            "",
            "Examples:",
            "  internvl4j tokenize --model DIR --text 'Hello, who are you?'",
            "  internvl4j tokenize --model DIR --file text.txt --pieces"
        })
final class TokenizeCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Spec
    private CommandSpec spec;

    @Option(names = "--model", required = true, paramLabel = "MODEL", description = ModelFolder.DESCRIPTION)
    private ModelFolder model;

    @ArgGroup(multiplicity = "1")
    private Source source;

    private static final class Source {
        @Option(names = "--text", parameterConsumer = Verbatim.class, paramLabel = "TEXT", description = "The text.")
        private @Nullable String text;

        @Option(
                names = "--file",
                paramLabel = "FILE",
                description = "A UTF-8 file, taken as it is: a byte order mark and the last line end have tokens, too.")
        private @Nullable Path file;

        String read(CommandSpec command) throws IOException {
            // Picocli does not look at options that are taken verbatim.
            if (text != null && file != null) {
                throw new ParameterException(command.commandLine(), "--text and --file exclude each other");
            }
            if (text != null) {
                return text;
            }
            Path given = Objects.requireNonNull(file);
            return Utf8.decodeAll(Files.readAllBytes(given), given.toString());
        }
    }

    @Option(names = "--literal", description = "Take special tokens in the text as plain text.")
    private boolean literal;

    @Option(names = "--pieces", description = "Print the pieces too: {\"ids\": [..], \"pieces\": [..]}.")
    private boolean pieces;

    @Override
    public Integer call() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(model.path());
        String text = source.read(spec);
        int[] ids = literal ? tokenizer.encodeLiteral(text) : tokenizer.encode(text);
        if (!pieces) {
            main.streams.out().println(JsonText.text(ids));
            return 0;
        }
        List<String> texts = Arrays.stream(ids).mapToObj(tokenizer::tokenText).toList();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("ids", ids);
        fields.put("pieces", texts);
        main.streams.out().println(JsonText.text(fields));
        return 0;
    }
}
