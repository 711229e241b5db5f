package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** GQA's balanced testdev. */
final class Gqa extends Published {
    @Override
    public String name() {
        return "gqa_testdev_llava";
    }

    @Override
    public Decoding decoding() {
        return new Decoding(10, 1);
    }

    @Override
    public Samples samples(DataFolder data) throws IOException {
        Rows rows = new Rows();
        rows.jsonLines(
                data.path("gqa/llava_gqa_testdev_balanced_qwen_format.jsonl"),
                (position, row) -> sample(data, position, row));
        return rows.done();
    }

    private static Sample sample(DataFolder data, int position, ObjectNode row) throws IOException {
        return new Sample(
                Rows.required(row, "question_id"),
                position,
                Rows.required(row, "question") + " " + Questions.SHORT,
                Picture.of(data.path(Rows.required(row, "image"))),
                Rows.required(row, "answer"),
                row);
    }

    @Override
    public Verdict judge(Sample sample, String answer) {
        String said = GqaScorer.normalized(answer);
        return Verdict.of(said, said.equals(sample.gold()));
    }

    @Override
    public Outcome outcome(List<Answered> answers, DataFolder data, String model) throws IOException {
        JsonNode questions = Rows.json(data.path("gqa/testdev_balanced_questions.json"));
        List<GqaScorer.Case> cases = new ArrayList<>();
        for (Answered one : answers) {
            JsonNode question = questions.path(one.sample().id());
            if (question.path("isBalanced").asBoolean()) {
                cases.add(scored(one, question));
            }
        }
        String report = GqaScorer.report(cases);
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("gqa.txt", ResultFiles.text(report));
        files.put(name() + ".json", ResultFiles.list(answers, Gqa::result));
        files.put(
                "testdev_balanced_predictions.json",
                ResultFiles.list(
                        answers,
                        one -> ResultFiles.object()
                                .put("questionId", one.sample().id())
                                .put("prediction", GqaScorer.normalized(one.answer()))));
        return new Outcome(List.of(about().figure("accuracy", GqaScorer.accuracy(cases))), report, files, List.of());
    }

    private static ObjectNode result(Answered one) {
        return ResultFiles.object()
                .put("question", one.sample().question())
                .put("questionId", one.sample().id())
                .put("answer", one.answer())
                .put("annotation", one.sample().gold());
    }

    private static GqaScorer.Case scored(Answered one, JsonNode question) {
        List<String> operations = new ArrayList<>();
        question.path("semantic")
                .forEach(step -> operations.add(step.path("operation").asText() + ": "
                        + step.path("argument").asText()));
        JsonNode group = question.path("groups").path("global");
        return new GqaScorer.Case(
                GqaScorer.normalized(one.answer()),
                question.path("answer").asText(),
                question.path("types").path("structural").asText(),
                question.path("types").path("semantic").asText(),
                operations,
                Python.words(question.path("question").asText()).size(),
                group.isTextual() ? group.asText() : null);
    }
}
