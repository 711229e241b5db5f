package io.github.internvl4j.cli;

import io.github.internvl4j.Cancellation;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.ModelInfo;
import io.github.internvl4j.evaluate.About;
import io.github.internvl4j.evaluate.Benchmark;
import io.github.internvl4j.evaluate.Benchmarks;
import io.github.internvl4j.evaluate.DataFolder;
import io.github.internvl4j.evaluate.Evaluation;
import io.github.internvl4j.evaluate.FileRespondent;
import io.github.internvl4j.evaluate.MissingDataException;
import io.github.internvl4j.evaluate.ModelRespondent;
import io.github.internvl4j.evaluate.Respondent;
import io.github.internvl4j.evaluate.Result;
import io.github.internvl4j.evaluate.RunFacts;
import io.github.internvl4j.evaluate.Sample;
import io.github.internvl4j.evaluate.Samples;
import io.github.internvl4j.evaluate.ScoreTable;
import io.github.internvl4j.evaluate.Scripts;
import io.github.internvl4j.evaluate.Selection;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** The card's performance table. */
@Command(
        name = "evaluate",
        description = {
            "Asks a model the benchmarks of the model card, from their published files, and scores the answers as the original's",
            "scripts did. Every answer is kept at once: the same command goes on where it was ended."
        },
        footer = {
            "",
            "The folder --out gets answers/, results/ with the files that the scripts write and servers take, and table.txt,",
            "table.md and table.json. Exit status 1 if a picture, a row or a file could not be read; the rest is done.",
            "",
            "Examples:",
            "  internvl4j evaluate --list",
            "  internvl4j evaluate --model DIR --data ROOT --out RUN --benchmarks mme,pope",
            "  internvl4j evaluate --model DIR --data ROOT --out PART0 --shard 0/4",
            "  internvl4j evaluate --merge PART0,PART1,PART2,PART3 --data ROOT --out RUN"
        })
final class EvaluateCommand implements Callable<Integer> {
    /** What {@code run.json} calls the scripts whose way was taken. */
    private static final String SCRIPTS = "scripts";

    private static final String TILES = "tiles";

    @ParentCommand
    private Main main;

    @Spec
    private CommandSpec spec;

    @ArgGroup(multiplicity = "1")
    private Subject subject;

    /** Where answers come from. */
    private static final class Subject {
        @Option(names = "--model", required = true, paramLabel = "MODEL", description = ModelFolder.DESCRIPTION)
        private @Nullable ModelFolder model;

        @Option(
                names = "--answers",
                required = true,
                paramLabel = "FILE",
                description = "Or answers from JSON lines with benchmark, id and answer.")
        private @Nullable Path answers;

        @Option(
                names = "--merge",
                required = true,
                split = ",",
                paramLabel = "DIR",
                description = "Or the answers in the folders of --shard's runs.")
        private @Nullable List<Path> merge;

        @Option(names = "--score", required = true, description = "Or those that are in --out: scored again.")
        private boolean score;

        @Option(names = "--list", required = true, description = "List the benchmarks and the files they need.")
        private boolean list;
    }

    @Option(
            names = "--data",
            paramLabel = "ROOT",
            description = "The folder that the published scripts call data, or the one that holds it.")
    private @Nullable Path data;

    @Option(names = "--out", paramLabel = "DIR", description = "Answers and results.")
    private @Nullable Path out;

    @Option(
            names = "--benchmarks",
            split = ",",
            paramLabel = "NAME",
            description = "Which ones, by name or family (default: all whose files are there).")
    private List<String> benchmarks = List.of();

    @Mixin
    private SubsetOptions subset;

    @Mixin
    private JudgeOptions judge;

    @Option(
            names = "--system",
            paramLabel = "TEXT",
            description = "System message (default: '" + Evaluation.SYSTEM
                    + "' for the template Hermes-2, as when the table was made, else the template's own).")
    private @Nullable String system;

    @Option(
            names = "--scripts",
            paramLabel = "MONTH",
            description =
                    "Ask as the original's scripts of 2024-04, 2024-07 or 2024-11 do (default: as those of the model's"
                            + " time, as far as its template and its tiles tell).")
    private @Nullable Scripts scripts;

    @Option(names = "--show-prompt", description = "Print the selected samples' whole prompts, and ask nothing.")
    private boolean showPrompt;

    @Mixin
    private ComputeOptions compute;

    @Mixin
    private KvMemoryOption kvMemory;

    @Mixin
    private BatchSizeOption batchSize;

    private final List<String> problems = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        if (subject.list) {
            return list();
        }
        List<Benchmark> present = judge.of(present(chosen()), out, main.variable(ServeCommand.KEY_VARIABLE));
        if (present.isEmpty()) {
            return status(); // it is told why
        }
        if (subject.model != null) {
            return askModel(subject.model, present);
        }
        if (subject.answers != null) {
            return askFile(subject.answers, present);
        }
        return subject.score
                ? score(RunFacts.read(out()), present)
                : merge(Objects.requireNonNull(subject.merge), present);
    }

    private int list() {
        for (Benchmark benchmark : Benchmarks.all()) {
            About about = benchmark.about();
            main.streams
                    .out()
                    .println(benchmark.name() + " (" + about.family() + ")"
                            + (about.questions() == 0 ? "" : ": " + about.questions() + " questions")
                            + "\n  files: " + String.join(", ", about.files())
                            + line("size", about.size())
                            + line("licence", about.licence())
                            + line("published", about.published())
                            + line("scored by", about.server()));
        }
        return 0;
    }

    private static String line(String name, @Nullable String value) {
        return value == null ? "" : "\n  " + name + ": " + value;
    }

    private List<Benchmark> chosen() {
        try {
            return benchmarks.isEmpty() ? Benchmarks.all() : Benchmarks.named(benchmarks);
        } catch (IllegalArgumentException wrong) {
            throw wrong("--benchmarks: " + wrong.getMessage());
        }
    }

    /** Those whose data is there, told before a model is loaded. */
    private List<Benchmark> present(List<Benchmark> chosen) {
        Selection selection = subset.selection();
        List<Benchmark> present = new ArrayList<>();
        for (Benchmark benchmark : chosen) {
            try {
                Samples samples = benchmark.samples(folder());
                tell(benchmark, samples, selection);
                present.add(benchmark);
            } catch (MissingDataException missing) {
                if (!benchmarks.isEmpty()) {
                    problem(benchmark.name() + ": " + missing.getMessage());
                }
            } catch (IOException unreadable) {
                problem(benchmark.name() + ": " + unreadable.getMessage());
            }
        }
        if (present.isEmpty() && problems.isEmpty()) {
            problem("no benchmark's files are below " + data + "; evaluate --list says what is expected where");
        }
        return present;
    }

    private void tell(Benchmark benchmark, Samples samples, Selection selection) {
        int published = benchmark.about().questions();
        int found = samples.samples().size();
        main.streams
                .err()
                .println(benchmark.name() + ": " + found + (published == 0 ? "" : " of " + published) + " samples"
                        + (selection.isPartial()
                                ? ", of which "
                                        + selection.of(samples.samples()).size() + " are asked"
                                : ""));
        samples.problems().forEach(this::problem);
    }

    private void problem(String what) {
        problems.add(what);
        main.streams.err().println("internvl4j: " + Failures.oneLine(what));
    }

    private DataFolder folder() {
        return DataFolder.of(required(data, "--data"));
    }

    private Path out() {
        return required(out, "--out");
    }

    private Path required(@Nullable Path option, String name) {
        if (option == null) {
            throw wrong(name + " is needed");
        }
        return option;
    }

    private ParameterException wrong(String why) {
        return new ParameterException(spec.commandLine(), why);
    }

    private int askModel(ModelFolder model, List<Benchmark> present) throws IOException {
        Path results = out();
        LoadOptions options = batchSize.of(kvMemory.of(compute.of(LoadOptions.defaults())));
        Cancellation cancellation = new Cancellation();
        try (InternVL loaded = load(model, options);
                Interrupts interrupts = new Interrupts(cancellation::cancel)) {
            String message = system == null ? defaultSystem(loaded.info()) : system;
            Scripts followed = scripts == null ? Scripts.of(loaded.info()) : scripts;
            List<Benchmark> asked = askedBy(followed, loaded.info().tiling().dynamic(), present);
            ModelRespondent respondent = new ModelRespondent(loaded, followed, message, cancellation);
            if (showPrompt) {
                return show(respondent, asked);
            }
            RunFacts facts = RunFacts.of(facts(model.path(), loaded, followed, message));
            int status = ask(facts, results, asked, benchmark -> respondent);
            return interrupts.status() != 0 ? interrupts.status() : status;
        }
    }

    private InternVL load(ModelFolder model, LoadOptions options) {
        try (LoadBar bar = new LoadBar("loading", main.streams)) {
            return InternVL.load(model.path(), options.listener(bar));
        }
    }

    private static @Nullable String defaultSystem(ModelInfo info) {
        return info.conversationTemplate().equals("Hermes-2") ? Evaluation.SYSTEM : null;
    }

    /** What answers depend on; not the batch, the devices or the threads. */
    private static Map<String, String> facts(Path model, InternVL loaded, Scripts scripts, @Nullable String system) {
        ModelInfo info = loaded.info();
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("model", String.valueOf(model.toAbsolutePath().normalize().getFileName()));
        facts.put("fingerprint", loaded.fingerprint());
        facts.put("precision", info.precision().toString());
        facts.put("KV cache", info.kvCache().toString());
        facts.put("activations", info.activations().toString());
        facts.put("template", info.conversationTemplate());
        facts.put(SCRIPTS, scripts.toString());
        facts.put("beams", String.valueOf(scripts.beams(info)));
        facts.put(TILES, String.valueOf(info.tiling().dynamic()));
        facts.put("system message", Objects.requireNonNullElse(system, "(the template's)"));
        facts.put("version", InternVL.version());
        return facts;
    }

    private static List<Benchmark> askedBy(Scripts scripts, boolean tiles, List<Benchmark> benchmarks) {
        return benchmarks.stream()
                .map(one -> Benchmarks.askedBy(scripts, tiles, one))
                .toList();
    }

    /** As they were asked when the answers were given. */
    private static List<Benchmark> asAsked(RunFacts facts, List<Benchmark> benchmarks) throws IOException {
        String month = facts.map().get(SCRIPTS);
        try {
            return month == null
                    ? benchmarks
                    : askedBy(
                            Scripts.named(month),
                            Boolean.parseBoolean(facts.map().get(TILES)),
                            benchmarks);
        } catch (IllegalArgumentException unknown) {
            throw new IOException("run.json, field " + SCRIPTS + ": " + unknown.getMessage(), unknown);
        }
    }

    private int show(ModelRespondent respondent, List<Benchmark> present) throws IOException {
        for (Benchmark benchmark : present) {
            for (Sample sample :
                    subset.selection().of(benchmark.samples(folder()).samples())) {
                main.streams
                        .out()
                        .println(benchmark.name() + ", " + sample.id() + ":\n"
                                + respondent.promptText(benchmark, sample));
            }
        }
        return status();
    }

    private int askFile(Path answers, List<Benchmark> present) throws IOException {
        FileRespondent file = FileRespondent.read(answers);
        Scripts followed = scripts == null ? Scripts.APRIL_2024 : scripts;
        RunFacts facts = RunFacts.of(Map.of("model", answers.getFileName().toString(), SCRIPTS, followed.toString()));
        return ask(facts, out(), askedBy(followed, false, present), file::to);
    }

    private int ask(RunFacts facts, Path results, List<Benchmark> present, Function<Benchmark, Respondent> respondents)
            throws IOException {
        Evaluation evaluation = new Evaluation(folder(), results, facts, subset.selection());
        List<Result> all = new ArrayList<>();
        for (Benchmark benchmark : present) {
            Respondent respondent = respondents.apply(benchmark);
            List<String> failures =
                    evaluation.ask(benchmark, respondent, new EvaluateProgress(benchmark.name(), main.streams.err()));
            failures.forEach(this::problem);
            if (respondent.isStopped()) {
                return 1;
            }
            score(evaluation, benchmark, facts, failures, all);
        }
        return print(all, facts);
    }

    private static String model(RunFacts facts) {
        return facts.map().getOrDefault("model", "");
    }

    private int merge(List<Path> folders, List<Benchmark> present) throws IOException {
        RunFacts facts = RunFacts.read(folders.get(0));
        Evaluation evaluation = new Evaluation(folder(), out(), facts, subset.selection());
        for (Benchmark benchmark : asAsked(facts, present)) {
            evaluation.merge(benchmark, folders);
        }
        return score(facts, present);
    }

    private int score(RunFacts facts, List<Benchmark> present) throws IOException {
        Evaluation evaluation = new Evaluation(folder(), out(), facts, subset.selection());
        List<Result> all = new ArrayList<>();
        for (Benchmark benchmark : asAsked(facts, present)) {
            score(evaluation, benchmark, facts, List.of(), all);
        }
        return print(all, facts);
    }

    /** A score that fails, for want of a file or a judge, fails alone. */
    private void score(
            Evaluation evaluation, Benchmark benchmark, RunFacts facts, List<String> failures, List<Result> all) {
        try {
            all.add(evaluation.score(benchmark, model(facts), failures));
        } catch (IOException failure) {
            problem(benchmark.name() + " is not scored: " + failure.getMessage());
        }
    }

    private int print(List<Result> results, RunFacts facts) throws IOException {
        ScoreTable table = new ScoreTable(results, facts);
        table.write(out());
        main.streams.out().print(table.text());
        return status();
    }

    private int status() {
        if (!problems.isEmpty()) {
            main.streams.err().println("internvl4j: " + problems.size() + " failed, named above");
        }
        return problems.isEmpty() ? 0 : 1;
    }
}
