package io.github.internvl4j.evaluate;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One run: benchmarks are asked, and scored from the answers in its folder. The folder has {@code run.json}, the answers in
 * {@code answers}, and in {@code results} the original's files.
 */
public final class Evaluation {
    /** The system message that the card's table was made with, for the template Hermes-2. */
    public static final String SYSTEM = "Answer the questions.";

    private final DataFolder data;
    private final Path folder;
    private final RunFacts facts;
    private final Selection selection;
    private @Nullable Benchmark lastRead;
    private @Nullable Samples read;

    /**
     * Begins a run, or goes on with one.
     *
     * @throws IOException if the folder holds another run, or cannot be written
     */
    public Evaluation(DataFolder data, Path folder, RunFacts facts, Selection selection) throws IOException {
        this.data = data;
        this.folder = folder;
        this.facts = facts;
        this.selection = selection;
        facts.claim(folder);
    }

    /** Reads a data set, once where several steps with it follow each other. */
    private Samples samples(Benchmark benchmark) throws IOException {
        if (read == null || benchmark != lastRead) {
            read = benchmark.samples(data);
            lastRead = benchmark;
        }
        return read;
    }

    /**
     * Asks what is not answered yet.
     *
     * @param progress is told how many samples are still to be asked, at the start and after each
     * @return what failed, one line each
     * @throws IOException if the data cannot be read or answers cannot be written
     */
    public List<String> ask(Benchmark benchmark, Respondent respondent, IntConsumer progress) throws IOException {
        List<Sample> all = samples(benchmark).samples();
        AnswerLog log = AnswerLog.open(folder, benchmark, facts);
        List<Sample> pending = new ArrayList<>();
        for (Sample sample : selection.of(all)) {
            if (!log.has(sample)) {
                pending.add(sample);
            }
        }
        progress.accept(pending.size());
        Asked asked = new Asked(benchmark, log, progress, pending.size());
        try {
            respondent.ask(benchmark, pending, asked);
        } catch (UncheckedIOException failure) {
            throw failure.getCause();
        }
        log.sort(all);
        return asked.failures;
    }

    /** Writes answers as they come. */
    private static final class Asked implements Respondent.Listener {
        private final Benchmark benchmark;
        private final AnswerLog log;
        private final IntConsumer progress;
        private final List<String> failures = new ArrayList<>();
        private int left;

        Asked(Benchmark benchmark, AnswerLog log, IntConsumer progress, int left) {
            this.benchmark = benchmark;
            this.log = log;
            this.progress = progress;
            this.left = left;
        }

        @Override
        public void answered(Sample sample, Respondent.Given given) {
            try {
                log.add(sample, given, benchmark.judge(sample, given.answer()));
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
            progress.accept(--left);
        }

        @Override
        public void failed(Sample sample, String why) {
            failures.add(benchmark.name() + ", sample " + sample.id() + ": " + why);
            progress.accept(--left);
        }
    }

    /**
     * Takes the answers of other runs' folders, which must have been made the same way.
     *
     * @throws IOException if one was not
     */
    public void merge(Benchmark benchmark, List<Path> folders) throws IOException {
        AnswerLog log = AnswerLog.open(folder, benchmark, facts);
        for (Path other : folders) {
            facts.requireSame(RunFacts.read(other), other);
            log.addFrom(other, benchmark);
        }
        log.sort(samples(benchmark).samples());
    }

    /**
     * Scores the answers that there are, and writes the result files.
     *
     * @param model what it is called in files that name it
     * @param failures what {@link #ask} gave
     */
    public Result score(Benchmark benchmark, String model, List<String> failures) throws IOException {
        Samples samples = samples(benchmark);
        List<Answered> answers = AnswerLog.open(folder, benchmark, facts).answers(selection.of(samples.samples()));
        Outcome outcome = benchmark.outcome(answers, data, model);
        Path results = Files.createDirectories(folder.resolve("results").resolve(benchmark.name()));
        for (Map.Entry<String, byte[]> file : outcome.files().entrySet()) {
            Files.write(results.resolve(file.getKey()), file.getValue());
        }
        if (!outcome.report().isEmpty()) {
            Files.writeString(results.resolve("report.txt"), outcome.report());
        }
        List<String> problems = new ArrayList<>(samples.problems());
        problems.addAll(failures);
        boolean whole = answers.size() == samples.samples().size()
                && answers.size() >= benchmark.about().questions()
                && problems.isEmpty();
        return new Result(
                benchmark,
                outcome.figures(),
                notes(benchmark, outcome, results),
                answers.size(),
                samples.samples().size(),
                problems,
                selection.isPartial() || !whole);
    }

    private static List<String> notes(Benchmark benchmark, Outcome outcome, Path results) {
        List<String> notes = new ArrayList<>(outcome.notes());
        String server = benchmark.about().server();
        if (server != null) {
            notes.add("a server scores it: send "
                    + String.join(
                            ", ", outcome.files().keySet().stream().sorted().toList()) + " in " + results + " to "
                    + server);
        }
        return notes;
    }
}
