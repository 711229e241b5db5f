package io.github.internvl4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** Ids to text. */
@Command(name = "detokenize", description = "Prints the text of token ids.")
final class DetokenizeCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Option(names = "--model", required = true, paramLabel = "DIR", description = "Checkpoint folder.")
    private Path model;

    @Parameters(paramLabel = "ID", arity = "0..*", description = "Token ids.")
    private int[] ids = {};

    @Option(names = "--file", paramLabel = "FILE", description = "A JSON array of ids.")
    private @Nullable Path file;

    @Option(names = "--keep-special", description = "Keep special tokens in the text.")
    private boolean keepSpecial;

    @Override
    public Integer call() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(model);
        main.streams.out().println(tokenizer.decode(file == null ? ids : read(file), !keepSpecial));
        return 0;
    }

    private static int[] read(Path file) throws IOException {
        try {
            return Json.MAPPER.readValue(Files.readString(file), int[].class);
        } catch (JsonProcessingException e) {
            throw new InvalidOptionException(file + ": expected a JSON array of token ids: " + e.getOriginalMessage(), e);
        }
    }
}
