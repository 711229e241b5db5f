package io.github.internvl4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.BatchRequest;
import io.github.internvl4j.Cancellation;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.error.InternVLException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import me.tongfei.progressbar.ProgressBar;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Many requests together. */
@Command(
        name = "batch",
        description = "Answers requests from a file of JSON lines, several at a time; a bad line fails alone.",
        footer = {
            "",
            "A request has prompt, and may have id, images, combine, video, frames, start, end, history, system,",
            "max_new_tokens, temperature, top_k, top_p, repetition_penalty, seed, stop. What it leaves out is as the",
            "options say. Pictures are looked for beside the input file, then in the working directory.",
            "Answers come in the requests' order; exit status 1 if any failed.",
            "",
            "Example:",
            "  internvl4j batch --model DIR --input questions.jsonl --output answers.jsonl"
        })
final class BatchCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Mixin
    private InputRules rules;

    @Mixin
    private SamplingOptions sampling;

    @Option(names = "--input", required = true, paramLabel = "FILE", description = "Requests, one JSON object a line.")
    private Path input;

    @Option(names = "--output", required = true, paramLabel = "FILE", description = "Answers, one JSON object a line.")
    private Path output;

    @Option(
            names = "--batch-size",
            defaultValue = "0",
            paramLabel = "N",
            description = "Requests computed together; 0: as many as memory has room for, up to 8 (default).")
    private int batchSize;

    @Override
    public Integer call() throws IOException {
        sampling.config();
        if (Files.exists(output) && Files.isSameFile(input, output)) {
            throw new ParameterException(spec.commandLine(), "--input and --output are the same file");
        }
        try (JsonLines lines = new JsonLines(input);
                InternVL loaded = model.load(main.streams, model.loadOptions().maxBatch(batchSize));
                ProgressBar bar = bar();
                BatchAnswers answers = new BatchAnswers(output, bar == null ? () -> {} : bar::step)) {
            Requests requests = new Requests(lines, answers);
            Cancellation cancellation = new Cancellation();
            Interrupts.during(cancellation::cancel, () -> {
                loaded.batch(requests, answers, cancellation);
                return true;
            });
            return answers.complete() && !cancellation.isCancelled() ? 0 : 1;
        }
    }

    private @Nullable ProgressBar bar() throws IOException {
        return main.streams.errIsTerminal() ? Progress.ofThings("answers", JsonLines.count(input), main.streams) : null;
    }

    /** The file's lines as requests; a line is parsed, and its pictures are read, when its turn comes. */
    private final class Requests implements Iterator<Supplier<BatchRequest>> {
        private final JsonLines lines;
        private final BatchAnswers answers;
        private byte @Nullable [] next;
        private int index;

        Requests(JsonLines lines, BatchAnswers answers) throws IOException {
            this.lines = lines;
            this.answers = answers;
            next = lines.next();
        }

        @Override
        public boolean hasNext() {
            return next != null;
        }

        @Override
        public Supplier<BatchRequest> next() {
            byte[] line = next;
            int number = index++;
            if (line == null) {
                throw new NoSuchElementException();
            }
            try {
                next = lines.next();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return () -> request(line, number);
        }

        private BatchRequest request(byte[] line, int number) {
            try {
                JsonNode object = BatchLine.parse(line);
                answers.identify(number, object.get("id"));
                BatchLine request = BatchLine.of(object);
                GenerationConfig config = request.config(sampling.config());
                answers.configure(number, config);
                return new BatchRequest(request.prompt(input, rules), config);
            } catch (InternVLException e) {
                throw e;
            } catch (RuntimeException | OutOfMemoryError e) {
                throw new InternVLException(Failures.describe(e), e); // whatever it is, it is this line's
            }
        }
    }
}
