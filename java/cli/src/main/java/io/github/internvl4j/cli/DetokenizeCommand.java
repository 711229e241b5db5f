package io.github.internvl4j.cli;

import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.server.openai.Fields;
import io.github.internvl4j.server.openai.JsonText;
import io.github.internvl4j.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Ids to text. */
@Command(
        name = "detokenize",
        description = "Prints the text of token ids.",
        footer = {
            "",
            "Examples:",
            "  internvl4j detokenize --model DIR 6 100 7 --keep-special",
            "  internvl4j detokenize --model DIR --file ids.json"
        })
final class DetokenizeCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Option(names = "--model", required = true, paramLabel = "MODEL", description = ModelFolder.DESCRIPTION)
    private ModelFolder model;

    @ArgGroup(multiplicity = "1")
    private Source source;

    private static final class Source {
        @Parameters(paramLabel = "ID", arity = "1..*", description = "Token ids.")
        private int @Nullable [] ids;

        @Option(names = "--file", paramLabel = "FILE", description = "A JSON array of ids.")
        private @Nullable Path file;

        int[] read() throws IOException {
            return ids != null ? ids : parse(Objects.requireNonNull(file));
        }
    }

    @Option(names = "--keep-special", description = "Keep special tokens in the text.")
    private boolean keepSpecial;

    @Override
    public Integer call() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(model.path());
        main.streams.out().println(tokenizer.decode(source.read(), !keepSpecial));
        return 0;
    }

    private static int[] parse(Path file) throws IOException {
        String text = Utf8.decode(Files.readAllBytes(file), file.toString());
        try {
            return new Fields.Entry("", JsonText.parse(text))
                    .list("an array of token ids", Fields.Entry::count).stream()
                            .mapToInt(Integer::intValue)
                            .toArray();
        } catch (PromptException e) {
            throw new InvalidOptionException(file + ": " + Failures.oneLine(e.getMessage()), e);
        }
    }
}
