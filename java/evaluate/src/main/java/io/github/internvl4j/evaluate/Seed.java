package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** SEED-Bench: pictures, and videos as their middle frames. */
final class Seed extends Published {
    @Override
    public String name() {
        return "SEEDv1";
    }

    @Override
    public Decoding decoding() {
        return new Decoding(100, 1);
    }

    @Override
    public Samples samples(DataFolder data) throws IOException {
        Map<String, JsonNode> types = new HashMap<>();
        Path questions = data.path("SEED/SEED-Bench.json");
        Rows.json(questions)
                .path("questions")
                .forEach(one -> types.put(one.path("question_id").asText(), one));
        // Who has the pictures only leaves videos out.
        boolean videos = Files.isDirectory(data.path("SEED/SEED-Bench-video-image"));
        Rows rows = new Rows();
        Path file = data.path("SEED/seed.jsonl");
        int position = 0;
        for (String line : Rows.lines(file)) {
            int at = position++;
            if (videos || !line.contains("SEED-Bench-video-image/")) {
                rows.add(file, at, () -> sample(data, at, Rows.object(line), types));
            }
        }
        rows.requireRows(file, position);
        return rows.done();
    }

    private static Sample sample(DataFolder data, int position, ObjectNode row, Map<String, JsonNode> types)
            throws IOException {
        String id = Rows.required(row, "question_id");
        JsonNode question = types.get(id);
        if (question == null) {
            throw new Rows.BadRow("question " + id + " is not in SEED-Bench.json");
        }
        row.put("type", question.path("question_type_id").asInt());
        row.put("letter", question.path("answer").asText());
        return new Sample(
                id,
                position,
                Rows.required(row, "text"),
                Picture.of(data.path("SEED/" + Rows.required(row, "image"))),
                Rows.required(row, "answer"),
                row);
    }

    @Override
    public Verdict judge(Sample sample, String answer) {
        return Verdict.of(Python.first(answer), scored(sample, answer, "letter").right());
    }

    private static SeedScorer.Case scored(Sample sample, String answer, String gold) {
        return new SeedScorer.Case(sample.row().path("type").asInt(), answer, sample.field(gold));
    }

    @Override
    public Outcome outcome(List<Answered> answers, DataFolder data, String model) {
        List<SeedScorer.Case> cases = new ArrayList<>();
        List<SeedScorer.Case> exact = new ArrayList<>();
        for (Answered one : answers) {
            cases.add(scored(one.sample(), one.answer(), "letter"));
            exact.add(scored(one.sample(), one.answer(), "answer"));
        }
        byte[] file = ResultFiles.lines(
                answers,
                one -> ResultFiles.object()
                        .put("question_id", one.sample().id())
                        .put("question", one.sample().question())
                        .put("prediction", one.answer())
                        .put("answer", one.sample().gold()));
        return new Outcome(
                List.of(
                        about().figure("image accuracy", SeedScorer.images(cases)),
                        about().figure("Acc@1", 100 * SeedScorer.exact(exact))),
                "Acc@1: " + Python.text(SeedScorer.exact(exact)) + "\n" + SeedScorer.report(cases),
                Map.of(name() + ".jsonl", file),
                List.of());
    }
}
