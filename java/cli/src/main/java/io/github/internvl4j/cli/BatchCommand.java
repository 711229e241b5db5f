package io.github.internvl4j.cli;

import io.github.internvl4j.Cancellation;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.error.InternVLException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
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
            "A request has prompt, and may have id, images, combine, video, frames, start, end, history, system, thinking,",
            "max_tiles, max_new_tokens, temperature, top_k, top_p, repetition_penalty, seed, stop. What it leaves out is as the",
            "options say. Or it is one of OpenAI's batches (custom_id, method, url, body), for chat completions; its",
            "answer is then, too. Images are files, looked for beside the input file, then in the working directory,",
            "or data:image/...;base64,... in the line. Nothing is fetched.",
            "Answers come in the requests' order; exit status 1 if any failed.",
            "",
            "Examples:",
            "  internvl4j batch --model DIR --input questions.jsonl --output answers.jsonl",
            "  internvl4j batch --model DIR --input questions.jsonl --output answers.jsonl --resume",
            "  generate-questions | internvl4j batch --model DIR --input - --output - | use-answers"
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

    @Option(
            names = "--input",
            required = true,
            paramLabel = "FILE",
            description = "Requests, one JSON object a line; - is standard input.")
    private Path input;

    @Option(
            names = "--output",
            required = true,
            paramLabel = "FILE",
            description = "Answers, one JSON object a line; - is standard output.")
    private Path output;

    @Option(
            names = "--resume",
            description =
                    "Go on with the answers that an earlier run left in the output: they stay, failures are asked again.")
    private boolean resume;

    @Option(names = "--overwrite", description = "Begin anew, whatever the output holds.")
    private boolean overwrite;

    @Mixin
    private BatchSizeOption batchSize;

    @Override
    public Integer call() throws IOException {
        sampling.config(rules.thinking());
        rules.validate();
        validate();
        LoadOptions options = batchSize.of(model.loadOptions());
        Map<Integer, AnswerFile.Extent> kept =
                resume && Files.exists(output) ? EarlierAnswers.of(output, input) : Map.of();
        try (JsonLines lines = isStandard(input) ? new JsonLines(main.streams.in()) : new JsonLines(input);
                AnswerSink sink = sink();
                InternVL loaded = model.load(main.streams, options);
                AdapterOptions.Loaded adapters = sampling.load(loaded);
                ProgressBar bar = bar(kept.size())) {
            if (sink instanceof AnswerFile file) {
                file.keep(kept);
            }
            adapters.tell(main);
            Cancellation cancellation = new Cancellation();
            BatchAnswers answers = new BatchAnswers(sink, bar == null ? () -> {} : bar::step, cancellation::cancel);
            try (Interrupts interrupts = new Interrupts(cancellation::cancel)) {
                loaded.batch(requests(loaded, lines, kept.keySet(), answers), answers, cancellation);
                return interrupts.status() != 0 ? interrupts.status() : status(answers);
            }
        }
    }

    private int status(BatchAnswers answers) {
        IOException broken = answers.broken();
        if (broken == null) {
            return answers.complete() ? 0 : 1;
        }
        if (Failures.isBrokenPipe(broken)) {
            return 0; // nobody reads on
        }
        String name = isStandard(output) ? "standard output" : output.toString();
        throw new InternVLException(name + " cannot be written: " + broken.getMessage(), broken);
    }

    private BatchRequests requests(InternVL loaded, JsonLines lines, Set<Integer> done, BatchAnswers answers)
            throws IOException {
        Media media = rules.media(isStandard(input) ? null : input);
        return new BatchRequests(
                lines, done, answers, new BatchRequests.Settings(media, rules, sampling, loaded.tokenizer()));
    }

    private static boolean isStandard(Path file) {
        return file.toString().equals(QuestionOptions.STANDARD);
    }

    /** Whether answers may be in the output already. */
    private boolean isKept() {
        return !isStandard(output) && (Files.isRegularFile(output) || !Files.exists(output));
    }

    private void validate() throws IOException {
        if (!isStandard(input) && Files.exists(output) && Files.isSameFile(input, output)) {
            throw wrong("--input and --output are the same file");
        }
        if (resume && overwrite) {
            throw wrong("--resume and --overwrite exclude each other");
        }
        if (resume && (isStandard(input) || !isKept())) {
            throw wrong("--resume needs files, which can be read twice");
        }
        if (!resume && !overwrite && isKept() && Files.exists(output) && Files.size(output) > 0) {
            throw wrong(
                    output + " holds something already: --resume goes on with its answers, --overwrite begins anew");
        }
    }

    private ParameterException wrong(String why) {
        return new ParameterException(spec.commandLine(), why);
    }

    private AnswerSink sink() throws IOException {
        if (isStandard(output)) {
            return new AnswerStream(main.streams.direct());
        }
        return isKept() ? new AnswerFile(output) : new AnswerStream(Files.newOutputStream(output));
    }

    /** @param done requests that are answered already */
    private @Nullable ProgressBar bar(int done) throws IOException {
        if (!main.streams.errIsTerminal()) {
            return null;
        }
        long total = isStandard(input) ? -1 : JsonLines.count(input); // unknown
        ProgressBar bar = Progress.ofThings("answers", total, main.streams);
        bar.stepTo(done);
        return bar;
    }
}
