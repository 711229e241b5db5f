package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** MMVP: pairs of pictures that look alike to CLIP; a pair counts if both of its questions are right. */
final class Mmvp extends Published {
    @Override
    public String name() {
        return "MMVP";
    }

    @Override
    public Decoding decoding() {
        return new Decoding(100, 1);
    }

    @Override
    public Samples samples(DataFolder data) throws IOException {
        Path file = data.path("MMVP/Questions.csv");
        Rows rows = new Rows();
        rows.each(file, Table.read(file, ',').rows(), (position, row) -> sample(data, position, row));
        return rows.done();
    }

    private static Sample sample(DataFolder data, int position, ObjectNode row) throws IOException {
        // The published header misspells it.
        String id = row.has("lndex") ? row.get("lndex").asText() : Rows.required(row, "Index");
        return new Sample(
                id,
                position,
                Questions.choice(
                        Rows.required(row, "Question"),
                        MmvpFields.options(Rows.required(row, "Options")),
                        Questions.LETTER),
                Picture.of(data.path("MMVP/MMVP Images/" + id + ".jpg")),
                MmvpFields.gold(Rows.required(row, "Correct Answer")),
                row);
    }

    @Override
    public Verdict judge(Sample sample, String answer) {
        String letter = OptionLetters.choose(answer, MmvpFields.options(sample.field("Options")));
        return Verdict.of(letter, letter.equals(sample.gold()));
    }

    @Override
    public Outcome outcome(List<Answered> answers, DataFolder data, String model) {
        Map<Integer, Boolean> pairs = new HashMap<>();
        for (Answered one : answers) {
            pairs.merge(
                    one.sample().position() / 2,
                    judge(one.sample(), one.answer()).right(),
                    Boolean::logicalAnd);
        }
        long right = pairs.values().stream().filter(both -> both).count();
        double share = pairs.isEmpty() ? 0 : (double) right / pairs.size();
        byte[] file = ResultFiles.lines(
                answers,
                one -> ResultFiles.object()
                        .put("question", one.sample().question())
                        .put("answer", judge(one.sample(), one.answer()).processed())
                        .put("gt_answers", one.sample().gold())
                        .put("data_id", one.sample().id()));
        return new Outcome(
                List.of(about().figure("accuracy", 100 * share)),
                "The accuracy is " + Python.text(share) + "\n",
                Map.of("MMVP.jsonl", file),
                List.of());
    }
}
