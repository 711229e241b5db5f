package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** MathVista: answers in sentences, out of which a judge takes what is compared; without one, rules do what they can. */
final class MathVista implements Benchmark {
    private final String split;

    /** @param split {@code testmini} or {@code test} */
    MathVista(String split) {
        this.split = split;
    }

    @Override
    public String name() {
        return "MathVista_" + split;
    }

    @Override
    public About about() {
        return About.of(name());
    }

    @Override
    public Decoding decoding() {
        return new Decoding(1000, 1);
    }

    @Override
    public Samples samples(DataFolder data) throws IOException {
        List<Path> files = data.files("MathVista/data", split + "-", ".parquet");
        if (files.isEmpty()) {
            throw new IOException("there is no file " + data.path("MathVista/data") + "/" + split
                    + "-*.parquet; evaluate --list says what is expected where");
        }
        Rows rows = new Rows();
        int before = 0;
        for (Path path : files) {
            before = read(rows, path, before);
        }
        return rows.done();
    }

    private static int read(Rows rows, Path path, int before) {
        int position = before;
        try {
            ParquetFile file = ParquetFile.open(path);
            for (ParquetFile.Row row : file.rows()) {
                int at = position++;
                rows.add(path, at - before, () -> sample(file, row, at));
            }
        } catch (IOException failure) {
            rows.problem(failure);
        }
        return position;
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
    public Outcome outcome(List<Answered> answers, DataFolder data, String model) {
        ObjectNode results = ResultFiles.object();
        for (Answered one : answers) {
            ObjectNode row = one.sample().row().deepCopy();
            results.set(one.sample().id(), row.put("response", one.answer()));
        }
        Map<String, byte[]> files = Map.of(name() + ".json", ResultFiles.text(PythonJson.indented(results, 4)));
        return split.equals("test") ? new Outcome(List.of(), "", files, List.of()) : scored(answers, files);
    }

    private Outcome scored(List<Answered> answers, Map<String, byte[]> files) {
        long guessed = answers.stream()
                .filter(one -> MathVistaAnswers.extract(one.answer(), problem(one.sample())) == null)
                .count();
        List<String> notes = guessed == 0
                ? List.of()
                : List.of(guessed + " of " + answers.size()
                        + " answers need a judge; the whole answer was taken: an estimate");
        return new Outcome(
                List.of(
                        about().figure("as published", accuracy(answers, MathVista::estimate, true)),
                        about().figure("fixed precision", accuracy(answers, MathVista::estimate, false))),
                "",
                files,
                notes);
    }

    /** In percent, with two places as the original prints it. */
    static double accuracy(List<Answered> answers, Function<Answered, String> extraction, boolean asPublished) {
        long right = answers.stream()
                .filter(one -> isRight(one.sample(), extraction.apply(one), asPublished))
                .count();
        return Python.round(Percent.of(right, answers.size()), 2);
    }
}
