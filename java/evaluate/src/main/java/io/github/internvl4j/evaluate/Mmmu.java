package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** MMMU: college exams of thirty subjects, with their first picture. */
final class Mmmu extends Published {
    private static final List<String> SUBJECTS = Tables.list("/mmmu/order");
    private static final String CHOICE = "multiple-choice";

    private final String split;

    /** @param split {@code validation} or {@code test} */
    Mmmu(String split) {
        this.split = split;
    }

    @Override
    public String name() {
        return "MMMU_" + split;
    }

    @Override
    public Decoding decoding() {
        return new Decoding(100, 1);
    }

    @Override
    public Samples samples(DataFolder data) throws IOException {
        Path answers = data.path("MMMU/answer_dict_val.json");
        JsonNode golds = Files.exists(answers) ? Rows.json(answers) : Rows.JSON.createObjectNode();
        Rows rows = new Rows();
        int files = 0;
        for (String subject : SUBJECTS) {
            for (Path path : data.files("MMMU/" + subject, split + "-", ".parquet")) {
                files++;
                read(rows, path, golds);
            }
        }
        if (files == 0) {
            throw new IOException("there is no file " + data.path("MMMU") + "/<Subject>/" + split
                    + "-*.parquet; evaluate --list says what is expected where");
        }
        return rows.done();
    }

    private void read(Rows rows, Path path, JsonNode golds) {
        try {
            ParquetFile file = ParquetFile.open(path);
            rows.each(path, file.rows(), (position, row) -> sample(file, row, position, golds));
        } catch (IOException failure) {
            rows.problem(failure);
        }
    }

    private Sample sample(ParquetFile file, ParquetFile.Row place, int position, JsonNode golds) throws IOException {
        ObjectNode row = place.fields();
        String id = Rows.required(row, "id");
        JsonNode gold = golds.path(id);
        row.set("options_list", options(row));
        row.put(
                "kind",
                gold.path("question_type").asText(row.path("question_type").asText()));
        row.set("golds", golds(gold, row));
        return new Sample(
                id,
                position,
                question(row),
                hasPicturesAsOptions(row) ? null : new ParquetPicture(file, place, "image_1"),
                split.equals("test") ? "" : String.join(" | ", golds(row)),
                row);
    }

    private static JsonNode options(ObjectNode row) throws Rows.BadRow {
        ObjectNode options = ResultFiles.object();
        try {
            for (String option : PythonList.parse(Rows.required(row, "options"))) {
                options.put(OptionLetters.letter(options.size()), Python.strip(option));
            }
        } catch (IllegalArgumentException failure) {
            throw new Rows.BadRow("field options, " + failure.getMessage());
        }
        return options;
    }

    private static JsonNode golds(JsonNode gold, ObjectNode row) {
        ArrayNode golds = Rows.JSON.createArrayNode();
        JsonNode truth = gold.path("ground_truth");
        String own = row.path("answer").asText("");
        if (truth.isArray()) {
            golds.addAll((ArrayNode) truth);
        } else if (!truth.isMissingNode()) {
            golds.add(truth.asText());
        } else if (!row.path("kind").asText().equals(CHOICE) && PythonList.isList(own)) {
            PythonList.parse(own).forEach(golds::add);
        } else {
            golds.add(own);
        }
        return golds;
    }

    private static List<String> golds(ObjectNode row) {
        List<String> golds = new ArrayList<>();
        row.path("golds").forEach(gold -> golds.add(gold.asText()));
        return golds;
    }

    private static Map<String, String> letters(ObjectNode row) {
        Map<String, String> letters = new LinkedHashMap<>();
        row.path("options_list")
                .properties()
                .forEach(
                        option -> letters.put(option.getKey(), option.getValue().asText()));
        return letters;
    }

    /** None do in the published files. */
    private static boolean hasPicturesAsOptions(ObjectNode row) {
        return letters(row).values().stream()
                        .filter(option -> option.contains("<img="))
                        .count()
                >= 2;
    }

    private static String question(ObjectNode row) throws Rows.BadRow {
        String question = Rows.required(row, "question").replace("<image 1>", "");
        boolean choice = Rows.required(row, "question_type").equals(CHOICE);
        return Questions.choice(question, letters(row), choice ? Questions.LETTER : Questions.SHORT);
    }

    @Override
    public Verdict judge(Sample sample, String answer) {
        Map<String, String> options = letters(sample.row());
        String said = options.isEmpty() ? answer : OptionLetters.choose(answer, options);
        return split.equals("test") ? Verdict.unknown(said) : Verdict.of(said, isRight(sample, said));
    }

    private static boolean isRight(Sample sample, String said) {
        List<String> golds = golds(sample.row());
        return sample.field("kind").equals(CHOICE) ? golds.get(0).equals(said) : MmmuAnswers.isRight(said, golds);
    }

    @Override
    public Outcome outcome(List<Answered> answers, DataFolder data, String model) {
        ObjectNode submission = ResultFiles.object();
        answers.forEach(one -> submission.put(one.sample().id(), said(one)));
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put(name() + ".json", ResultFiles.text(PythonJson.indented(submission, 4)));
        files.put(
                name() + ".jsonl",
                ResultFiles.lines(
                        answers,
                        one -> ResultFiles.object()
                                .put("question", one.sample().question())
                                .put("answer", said(one))
                                .put("gt_answers", one.sample().field("answer"))
                                .put("data_id", one.sample().id())));
        @Nullable Map<String, MmmuAnswers.Line> report = split.equals("test") ? null : report(answers);
        return new Outcome(figures(report), report == null ? "" : text(report), files, List.of());
    }

    private String said(Answered one) {
        return judge(one.sample(), one.answer()).processed();
    }

    private Map<String, MmmuAnswers.Line> report(List<Answered> answers) {
        Map<String, MmmuAnswers.Subject> subjects = new LinkedHashMap<>();
        for (Answered one : answers) {
            int right = judge(one.sample(), one.answer()).right() ? 1 : 0;
            subjects.merge(
                    MmmuFields.subject(one.sample().id()),
                    new MmmuAnswers.Subject(1, right),
                    MmmuAnswers.Subject::plus);
        }
        return MmmuAnswers.report(subjects);
    }

    private List<Outcome.Figure> figures(@Nullable Map<String, MmmuAnswers.Line> report) {
        MmmuAnswers.Line all = report == null ? null : report.get("Overall");
        return all == null ? List.of() : List.of(about().figure("overall", Python.round(100 * all.accuracy(), 1)));
    }

    /** As the original prints it: what it skips, then a dictionary. */
    private static String text(Map<String, MmmuAnswers.Line> report) {
        StringBuilder text = new StringBuilder();
        for (String subject : SUBJECTS) {
            text.append("Evaluating: ").append(subject).append('\n');
            if (!report.containsKey(subject)) {
                text.append("Skipping ").append(subject).append(" for not found\n");
            }
        }
        List<String> entries = new ArrayList<>();
        report.forEach((name, line) -> entries.add("'" + name + "': {'num': " + line.questions() + ", 'acc': "
                + (line.questions() == 0 ? "0" : Python.text(line.accuracy())) + "}"));
        return text.append('{').append(String.join(", ", entries)).append("}\n").toString();
    }
}
