package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** TextVQA and VizWiz: short answers against those of ten people, or for a server. */
final class Vqa extends Published {
    private static final int PEOPLE = 10;
    private static final String QUESTION_TYPE = "question_type";
    private static final String ANSWER_TYPE = "answer_type";

    private final String name;
    private final String questions;
    private final String annotations;
    private final String suffix;

    /**
     * @param questions JSON lines below the data folder
     * @param annotations people's answers; empty where a server has them
     */
    private Vqa(String name, String questions, String annotations, String suffix) {
        this.name = name;
        this.questions = questions;
        this.annotations = annotations;
        this.suffix = suffix;
    }

    static List<Benchmark> all() {
        String people = "textvqa/textvqa_val_annotations.json";
        return List.of(
                new Vqa("textvqa_val_ocr", "textvqa/textvqa_val_llava.jsonl", people, Questions.SHORT),
                new Vqa("textvqa_val", "textvqa/textvqa_val.jsonl", people, Questions.SHORT),
                new Vqa("vizwiz_test", "vizwiz/vizwiz_test.jsonl", "", Questions.UNANSWERABLE),
                new Vqa(
                        "vizwiz_val",
                        "vizwiz/vizwiz_val.jsonl",
                        "vizwiz/vizwiz_val_annotations.json",
                        Questions.UNANSWERABLE));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Decoding decoding() {
        return new Decoding(10, 1);
    }

    @Override
    public Samples samples(DataFolder data) throws IOException {
        Rows rows = new Rows();
        Map<String, ObjectNode> people = annotations.isEmpty() ? Map.of() : people(data);
        rows.jsonLines(data.path(questions), (position, row) -> {
            String id = Rows.required(row, "question_id");
            if (!annotations.isEmpty()) {
                ObjectNode said = people.get(id);
                int answers = said == null ? 0 : said.path("people").size();
                if (said == null || answers != PEOPLE) {
                    throw new Rows.BadRow("question " + id + " has " + answers + " people's answers in " + annotations
                            + ", expected " + PEOPLE);
                }
                row.setAll(said);
            }
            return sample(data, position, id, row);
        });
        return rows.done();
    }

    private Sample sample(DataFolder data, int position, String id, ObjectNode row) throws IOException {
        return new Sample(
                id,
                position,
                Rows.required(row, "question") + " " + suffix,
                Picture.of(data.path(Rows.required(row, "image"))),
                String.join(" | ", people(row)),
                row);
    }

    /** What the annotations have of each question: people's answers, and types if there are any. */
    private Map<String, ObjectNode> people(DataFolder data) throws IOException {
        Map<String, ObjectNode> people = new HashMap<>();
        for (JsonNode one : Rows.json(data.path(annotations)).path("annotations")) {
            ObjectNode said = Rows.JSON.createObjectNode();
            said.put(QUESTION_TYPE, one.path(QUESTION_TYPE).asText());
            said.put(ANSWER_TYPE, one.path(ANSWER_TYPE).asText());
            ArrayNode answers = said.putArray("people");
            one.path("answers")
                    .forEach(answer -> answers.add(answer.path("answer").asText()));
            people.put(one.path("question_id").asText(), said);
        }
        return people;
    }

    private static List<String> people(ObjectNode row) {
        List<String> people = new ArrayList<>();
        row.path("people").forEach(answer -> people.add(answer.asText()));
        return people;
    }

    @Override
    public Verdict judge(Sample sample, String answer) {
        String said = VqaAnswers.normalized(answer);
        return annotations.isEmpty()
                ? Verdict.unknown(said)
                : new Verdict(said, VqaAnswers.score(answer, people(sample.row())));
    }

    @Override
    public Outcome outcome(List<Answered> answers, DataFolder data, String model) {
        return annotations.isEmpty() ? submission(answers) : scored(answers);
    }

    private Outcome submission(List<Answered> answers) {
        byte[] file = ResultFiles.list(
                answers,
                one -> ResultFiles.object()
                        .put("image", one.sample().id().replace("data/vizwiz/test/", ""))
                        .put("answer", one.answer()));
        return new Outcome(List.of(), "", Map.of(name + ".json", file), List.of());
    }

    private Outcome scored(List<Answered> answers) {
        double sum = 0;
        List<LegacyVqaReport.Scored> legacy = new ArrayList<>();
        for (Answered one : answers) {
            List<String> people = people(one.sample().row());
            sum += VqaAnswers.score(one.answer(), people);
            legacy.add(new LegacyVqaReport.Scored(
                    VqaAnswers.legacyScore(one.answer(), people),
                    one.sample().field(QUESTION_TYPE),
                    one.sample().field(ANSWER_TYPE)));
        }
        int all = Math.max(1, answers.size());
        LegacyVqaReport older = LegacyVqaReport.of(legacy);
        byte[] file = ResultFiles.list(answers, one -> {
            ObjectNode entry = ResultFiles.object().put("question", one.sample().question());
            entry.set("question_id", one.sample().row().get("question_id"));
            return entry.put("answer", one.answer());
        });
        return new Outcome(
                List.of(about().figure("accuracy", 100 * sum / all), about().figure("vqa-legacy", older.overall())),
                name + " " + Python.text(sum / all) + "\n" + older.text(),
                Map.of(name + ".json", file),
                List.of());
    }
}
