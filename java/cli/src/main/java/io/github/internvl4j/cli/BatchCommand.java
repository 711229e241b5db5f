package io.github.internvl4j.cli;

import io.github.internvl4j.BatchListener;
import io.github.internvl4j.BatchRequest;
import io.github.internvl4j.Cancellation;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.Reply;
import io.github.internvl4j.error.InternVLException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import me.tongfei.progressbar.ProgressBar;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Many requests together. */
@Command(
        name = "batch",
        description = "Answers requests from a file of JSON lines, several at a time; a bad line fails alone.",
        footer = {
            "",
            "A request has prompt, and may have id, images, combine, video, frames, history, system, max_new_tokens,",
            "temperature, top_k, top_p, repetition_penalty, seed, stop. Pictures are looked for beside the input file.",
            "Answers come in the requests' order; exit status 1 if any failed.",
            "",
            "Example:",
            "  internvl4j batch --model DIR --input questions.jsonl --output answers.jsonl"
        })
final class BatchCommand implements Callable<Integer> {
    @ParentCommand
    private Main main;

    @Mixin
    private ModelOptions model;

    @Mixin
    private SamplingOptions sampling;

    @Option(names = "--input", required = true, paramLabel = "FILE", description = "Requests, one JSON object a line.")
    private Path input;

    @Option(names = "--output", required = true, paramLabel = "FILE", description = "Answers, one JSON object a line.")
    private Path output;

    @Option(names = "--batch-size", defaultValue = "8", paramLabel = "N", description = "Requests computed together (default: ${DEFAULT-VALUE}).")
    private int batchSize;

    @Override
    public Integer call() throws IOException {
        long total;
        try (var lines = Files.lines(input)) {
            total = lines.filter(line -> !line.isBlank()).count();
        }
        Cancellation cancellation = new Cancellation();
        try (InternVL loaded = model.load(main.streams, model.loadOptions().maxBatch(batchSize));
                BufferedReader lines = Files.newBufferedReader(input);
                Writer writer = Files.newBufferedWriter(output);
                Answers answers = new Answers(writer, total, main.streams)) {
            Requests requests = new Requests(lines, answers);
            return Interrupts.during(cancellation::cancel, () -> {
                loaded.batch(requests, answers, cancellation);
                return answers.failures == 0 && !cancellation.isCancelled() ? 0 : 1;
            });
        }
    }

    /** The file's lines as requests; a line is parsed, and its pictures are read, when its turn comes. */
    private final class Requests implements Iterator<Supplier<BatchRequest>> {
        private final BufferedReader lines;
        private final Answers answers;
        private @Nullable String next;
        private int index;

        Requests(BufferedReader lines, Answers answers) throws IOException {
            this.lines = lines;
            this.answers = answers;
            advance();
        }

        private void advance() throws IOException {
            do {
                next = lines.readLine();
            } while (next != null && next.isBlank());
        }

        @Override
        public boolean hasNext() {
            return next != null;
        }

        @Override
        public Supplier<BatchRequest> next() {
            String line = next;
            int number = index++;
            if (line == null) {
                throw new NoSuchElementException();
            }
            try {
                advance();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return () -> {
                BatchLine parsed = BatchLine.parse(line, number);
                answers.identify(number, parsed.id());
                return new BatchRequest(parsed.prompt(input), parsed.config(sampling.config()));
            };
        }
    }

    /** Writes answers in the requests' order, each as soon as those before it are there. */
    private static final class Answers implements BatchListener, AutoCloseable {
        private final Writer writer;
        private final @Nullable ProgressBar bar;
        private final Map<Integer, Map<String, Object>> waiting = new HashMap<>();
        private final Map<Integer, Object> ids = new HashMap<>();
        private int written;
        private int failures;

        Answers(Writer writer, long total, Main.Streams streams) {
            this.writer = writer;
            bar = System.console() == null ? null : Progress.bar("answers", total, streams);
        }

        void identify(int index, @Nullable Object id) {
            if (id != null) {
                ids.put(index, id);
            }
        }

        @Override
        public void onReply(int index, Reply reply) {
            put(index, Json.of(reply));
        }

        @Override
        public void onFailure(int index, InternVLException failure) {
            failures++;
            Map<String, String> error = new LinkedHashMap<>();
            error.put("type", failure.getClass().getSimpleName());
            error.put("message", Failures.describe(failure));
            put(index, Map.of("error", error));
        }

        private void put(int index, Map<String, Object> fields) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("index", index);
            Object id = ids.remove(index);
            if (id != null) {
                line.put("id", id);
            }
            line.putAll(fields);
            waiting.put(index, line);
            if (bar != null) {
                bar.step();
            }
            try {
                Map<String, Object> next;
                while ((next = waiting.remove(written)) != null) {
                    writer.write(Json.text(next) + "\n");
                    writer.flush();
                    written++;
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            if (bar != null) {
                bar.close();
            }
        }
    }
}
