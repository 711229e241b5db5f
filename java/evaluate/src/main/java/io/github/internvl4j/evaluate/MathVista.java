package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** MathVista: answers in sentences, out of which a judge takes what is compared; without one, rules do what they can. */
final class MathVista extends Published {
    /** Questions to the judge at a time. */
    private static final int TOGETHER = 8;

    private final String split;
    private final Scripts scripts;
    private final @Nullable Judge judge;

    /** @param split {@code testmini} or {@code test} */
    MathVista(String split) {
        this(split, Scripts.APRIL_2024, null);
    }

    private MathVista(String split, Scripts scripts, @Nullable Judge judge) {
        this.split = split;
        this.scripts = scripts;
        this.judge = judge;
    }

    /** The same with a judge. */
    MathVista judgedBy(Judge value) {
        return new MathVista(split, scripts, value);
    }

    @Override
    MathVista askedBy(Scripts other, boolean tiles) {
        return new MathVista(split, other, judge);
    }

    @Override
    public String name() {
        return "MathVista_" + split;
    }

    @Override
    public Decoding decoding() {
        return new Decoding(scripts == Scripts.NOVEMBER_2024 ? 4096 : 1000, 1);
    }

    @Override
    public Samples samples(DataFolder data) throws IOException {
        List<Path> files = data.files("MathVista/data", split + "-", ".parquet");
        if (files.isEmpty()) {
            throw new MissingDataException("file " + data.path("MathVista/data") + "/" + split + "-*.parquet");
        }
        Rows rows = new Rows();
        int before = 0;
        for (Path path : files) {
            int first = before;
            before += rows.parquet(path, (file, row, position) -> sample(file, row, first + position));
        }
        return rows.done();
    }

    private static Sample sample(ParquetFile file, ParquetFile.Row place, int position) throws IOException {
        ObjectNode row = place.fields();
        return new Sample(
                Rows.required(row, "pid"),
                position,
                Rows.required(row, "query"),
                new ParquetPicture(file, place, "decoded_image"),
                row.path("answer").asText(""),
                row);
    }

    static MathVistaAnswers.Problem problem(Sample sample) {
        List<String> choices = new ArrayList<>();
        sample.row().path("choices").forEach(choice -> choices.add(choice.asText()));
        JsonNode precision = sample.row().path("precision");
        return new MathVistaAnswers.Problem(
                sample.field("question_type"),
                sample.field("answer_type"),
                choices,
                precision.isNumber() ? precision.asDouble() : null);
    }

    /** The rules' extraction; where they have none, the whole answer, an estimate of what a judge would take. */
    private static String estimate(Answered one) {
        String byRule = MathVistaAnswers.extract(one.answer(), problem(one.sample()));
        return byRule == null ? one.answer() : byRule;
    }

    private static boolean isRight(Sample sample, String extraction, boolean asPublished) {
        return sample.gold().equals(MathVistaAnswers.normalize(extraction, problem(sample), asPublished));
    }

    @Override
    public Verdict judge(Sample sample, String answer) {
        String extraction = estimate(new Answered(sample, answer));
        return split.equals("test")
                ? Verdict.unknown(answer)
                : Verdict.of(extraction, isRight(sample, extraction, true));
    }

    @Override
    public Outcome outcome(List<Answered> answers, DataFolder data, String model) throws IOException {
        ObjectNode results = ResultFiles.object();
        for (Answered one : answers) {
            ObjectNode row = one.sample().row().deepCopy();
            results.set(one.sample().id(), row.put("response", one.answer()));
        }
        Map<String, byte[]> files = Map.of(name() + ".json", ResultFiles.text(PythonJson.indented(results, 4)));
        return split.equals("test") ? new Outcome(List.of(), "", files, List.of()) : scored(answers, files);
    }

    private Outcome scored(List<Answered> answers, Map<String, byte[]> files) throws IOException {
        List<Answered> open = answers.stream()
                .filter(one -> MathVistaAnswers.extract(one.answer(), problem(one.sample())) == null)
                .toList();
        Map<String, String> extracted = judge == null ? Map.of() : ask(judge, open);
        Function<Answered, String> extraction = one -> {
            String taken = extracted.get(one.sample().id());
            return taken == null ? estimate(one) : taken;
        };
        return new Outcome(
                List.of(
                        about().figure("as published", accuracy(answers, extraction, true)),
                        about().figure("fixed precision", accuracy(answers, extraction, false))),
                "",
                files,
                notes(open.size(), answers.size()));
    }

    private List<String> notes(int open, int all) {
        if (open == 0) {
            return List.of();
        }
        String who = judge == null
                ? " need a judge; the whole answer was taken: an estimate"
                : " were extracted by " + judge.name();
        return List.of(open + " of " + all + " answers" + who);
    }

    private static Map<String, String> ask(Judge judge, List<Answered> open) throws IOException {
        ExecutorService pool = Executors.newFixedThreadPool(TOGETHER);
        try {
            Map<String, Future<String>> asked = new LinkedHashMap<>();
            for (Answered one : open) {
                asked.put(
                        one.sample().id(),
                        pool.submit(() -> judge.extract(one.sample().question(), one.answer())));
            }
            Map<String, String> extracted = new HashMap<>();
            for (Map.Entry<String, Future<String>> one : asked.entrySet()) {
                extracted.put(one.getKey(), one.getValue().get());
            }
            return extracted;
        } catch (ExecutionException failure) {
            throw new IOException(String.valueOf(failure.getMessage()), failure);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("stopped while the judge was asked");
        } finally {
            pool.shutdownNow();
        }
    }

    /** In percent, with two places as the original prints it. */
    static double accuracy(List<Answered> answers, Function<Answered, String> extraction, boolean asPublished) {
        long right = answers.stream()
                .filter(one -> isRight(one.sample(), extraction.apply(one), asPublished))
                .count();
        return Python.round(Percent.of(right, answers.size()), 2);
    }
}
