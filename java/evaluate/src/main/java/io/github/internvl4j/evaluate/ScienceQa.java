package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** ScienceQA's test questions with pictures. */
final class ScienceQa extends Published {
    @Override
    public String name() {
        return "sqa_test";
    }

    @Override
    public Decoding decoding() {
        return new Decoding(100, 1);
    }

    @Override
    public Samples samples(DataFolder data) throws IOException {
        Rows rows = new Rows();
        rows.jsonLines(data.path("scienceqa/scienceqa_test_img.jsonl"), (position, row) -> sample(data, position, row));
        return rows.done();
    }

    private static Sample sample(DataFolder data, int position, ObjectNode row) throws IOException {
        String hint = row.path("hint").asText("");
        String question = (hint.isEmpty() ? "" : hint + "\n") + Rows.required(row, "question");
        return new Sample(
                row.has("id") ? row.get("id").asText() : String.valueOf(position),
                position,
                Questions.choice(question, options(row), Questions.LETTER),
                Picture.of(data.path(Rows.required(row, "image"))),
                OptionLetters.letter(Integer.parseInt(Rows.required(row, "answer"))),
                row);
    }

    private static Map<String, String> options(JsonNode row) {
        Map<String, String> options = new LinkedHashMap<>();
        row.path("choices").forEach(choice -> options.put(OptionLetters.letter(options.size()), choice.asText()));
        return options;
    }

    @Override
    public Verdict judge(Sample sample, String answer) {
        String letter = OptionLetters.choose(answer, options(sample.row()));
        return Verdict.of(letter, letter.equals(sample.gold()));
    }

    @Override
    public Outcome outcome(List<Answered> answers, DataFolder data, String model) {
        double accuracy = Percent.mean(answers.stream().map(this::judge).toList());
        byte[] file = ResultFiles.lines(
                answers,
                one -> ResultFiles.object()
                        .put("question", one.sample().question())
                        .put("answer", judge(one).processed())
                        .put("gt_answers", one.sample().gold())
                        .put("image_path", one.sample().field("image")));
        return new Outcome(
                List.of(about().figure("accuracy", accuracy)),
                "Acc@1: " + Python.text(accuracy / 100) + "\n",
                Map.of(name() + ".jsonl", file),
                List.of());
    }

    private Verdict judge(Answered one) {
        return judge(one.sample(), one.answer());
    }
}
