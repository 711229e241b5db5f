package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.ResizeFilter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/** MMMU: college exams of thirty subjects, with their first picture; with tiles, all pictures. */
final class Mmmu extends Published {
    private static final List<String> SUBJECTS = Tables.list("/mmmu/order");
    private static final int MOST_PICTURES = 7;
    private static final String CHOICE = "multiple-choice";

    private final String split;
    private final Scripts scripts;
    private final boolean tiles;

    /** @param split {@code validation} or {@code test} */
    Mmmu(String split) {
        this(split, Scripts.APRIL_2024, false);
    }

    private Mmmu(String split, Scripts scripts, boolean tiles) {
        this.split = split;
        this.scripts = scripts;
        this.tiles = tiles;
    }

    @Override
    Benchmark askedBy(Scripts other, boolean cut) {
        return new Mmmu(split, other, cut);
    }

    @Override
    public String name() {
        return "MMMU_" + split;
    }

    @Override
    public Decoding decoding() {
        return new Decoding(scripts == Scripts.APRIL_2024 ? 100 : 10, 1);
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
                rows.parquet(path, (file, row, position) -> sample(file, row, position, golds));
            }
        }
        if (files == 0) {
            throw new MissingDataException("file " + data.path("MMMU") + "/<Subject>/" + split + "-*.parquet");
        }
        return rows.done();
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
                hasPicturesAsOptions(row) ? List.of() : pictures(file, place),
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

    private List<Picture> pictures(ParquetFile file, ParquetFile.Row place) {
        List<Picture> pictures = new ArrayList<>();
        pictures.add(new ParquetPicture(file, place, "image_1"));
        for (int number = 2; tiles && number <= MOST_PICTURES; number++) {
            String column = "image_" + number;
            if (place.pictures().contains(column)) {
                pictures.add(new ParquetPicture(file, place, column));
            }
        }
        return pictures;
    }

    /**
     * With tiles all pictures stand at one placeholder. Since July 2024 the first is doubled before it is cut, and the others are a tile
     * each.
     */
    @Override
    public Prompt prompt(Sample sample) throws IOException {
        if (!tiles || sample.pictures().isEmpty()) {
            return super.prompt(sample);
        }
        List<Image> images = sample.images();
        List<Integer> limits = new ArrayList<>();
        if (scripts != Scripts.APRIL_2024) {
            Image first = images.get(0);
            images.set(0, first.resize(2 * first.width(), 2 * first.height(), ResizeFilter.BILINEAR));
            limits.add(0);
            limits.addAll(Collections.nCopies(images.size() - 1, 1));
        }
        return Prompt.of(sample.question()).images(List.of(images)).tileLimits(limits);
    }

    private String question(ObjectNode row) throws Rows.BadRow {
        String published = Rows.required(row, "question");
        String question = scripts == Scripts.APRIL_2024 ? published.replace("<image 1>", "") : Python.strip(published);
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
        return split.equals("test") ? new Outcome(List.of(), "", files, List.of()) : scored(answers, files);
    }

    private Outcome scored(List<Answered> answers, Map<String, byte[]> files) {
        Map<String, MmmuAnswers.Line> report = report(answers, this::said);
        Map<String, MmmuAnswers.Line> own = report(answers, Mmmu::byOwnParser);
        long drawn = answers.stream().filter(one -> byOwnParser(one).isEmpty()).count();
        return new Outcome(
                List.of(figure("overall", report), figure("overall, MMMU's own parser", own)),
                text(report),
                files,
                drawn == 0
                        ? List.of()
                        : List.of("MMMU's own parser would draw " + drawn + " letters at random, here they are wrong"));
    }

    /** What the published parser takes of an answer; empty where it draws. */
    private static String byOwnParser(Answered one) {
        Map<String, String> options = letters(one.sample().row());
        return options.isEmpty()
                ? one.answer()
                : Objects.requireNonNullElse(MmmuChoice.parse(one.answer(), options), "");
    }

    private String said(Answered one) {
        return judge(one.sample(), one.answer()).processed();
    }

    private static Map<String, MmmuAnswers.Line> report(List<Answered> answers, Function<Answered, String> said) {
        Map<String, MmmuAnswers.Subject> subjects = new LinkedHashMap<>();
        for (Answered one : answers) {
            int right = isRight(one.sample(), said.apply(one)) ? 1 : 0;
            subjects.merge(
                    MmmuFields.subject(one.sample().id()),
                    new MmmuAnswers.Subject(1, right),
                    MmmuAnswers.Subject::plus);
        }
        return MmmuAnswers.report(subjects);
    }

    private Outcome.Figure figure(String name, Map<String, MmmuAnswers.Line> report) {
        double all = Objects.requireNonNull(report.get("Overall")).accuracy();
        return about().figure(name, Python.round(100 * all, 1));
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
