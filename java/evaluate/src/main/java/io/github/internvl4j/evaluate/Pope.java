package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** POPE: whether a thing is in the picture. The right answers stand in other files and are matched by position. */
final class Pope extends Published {
    @Override
    public String name() {
        return "pope";
    }

    @Override
    public Decoding decoding() {
        return new Decoding(100, 1);
    }

    @Override
    public Samples samples(DataFolder data) throws IOException {
        Path file = data.path("pope/llava_pope_test.jsonl");
        Labels labels = new Labels(data);
        Rows rows = new Rows();
        rows.jsonLines(file, (position, row) -> {
            String category = Rows.required(row, "category");
            return sample(data, position, row, labels.next(category, position));
        });
        return rows.done();
    }

    private static Sample sample(DataFolder data, int position, ObjectNode row, String label) throws IOException {
        // The blank at the end is the original's.
        return new Sample(
                Rows.required(row, "question_id"),
                position,
                Rows.required(row, "text") + " ",
                Picture.of(data.path("pope/val2014/" + Rows.required(row, "image"))),
                label,
                row);
    }

    /** The right answers of each category, in order. */
    private static final class Labels {
        private final DataFolder data;
        private final Map<String, List<String>> labels = new HashMap<>();
        private final Map<String, Integer> used = new HashMap<>();
        private String category = "";
        private int last = -1;

        Labels(DataFolder data) {
            this.data = data;
        }

        String next(String of, int position) throws IOException {
            // Rows between that could not be read are taken for the category before: categories are blocks.
            if (!category.isEmpty()) {
                used.merge(category, position - last - 1, Integer::sum);
            }
            category = of;
            last = position;
            int index = used.merge(of, 1, Integer::sum) - 1;
            List<String> all = labels.get(of);
            if (all == null) {
                all = read(data.path("pope/coco/coco_pope_" + of + ".json"));
                labels.put(of, all);
            }
            if (index >= all.size()) {
                throw new Rows.BadRow("there are only " + all.size() + " right answers of category " + of);
            }
            return all.get(index);
        }

        private static List<String> read(Path file) throws IOException {
            List<String> labels = new ArrayList<>();
            for (String line : Rows.lines(file)) {
                labels.add(Rows.required(Rows.JSON.readTree(line), "label"));
            }
            return labels;
        }
    }

    @Override
    public Verdict judge(Sample sample, String answer) {
        String said = PopeScorer.parse(answer);
        return Verdict.of(said, said.equals("no") == sample.gold().equals("no"));
    }

    @Override
    public Outcome outcome(List<Answered> answers, DataFolder data, String model) {
        Map<String, List<Answered>> categories = new LinkedHashMap<>();
        answers.forEach(one -> categories
                .computeIfAbsent(one.sample().field("category"), c -> new ArrayList<>())
                .add(one));
        StringBuilder report = new StringBuilder();
        double f1 = 0;
        for (Map.Entry<String, List<Answered>> category : categories.entrySet()) {
            PopeScorer.Counts counts = PopeScorer.Counts.of(
                    category.getValue().stream()
                            .map(one -> PopeScorer.parse(one.answer()))
                            .toList(),
                    category.getValue().stream().map(one -> one.sample().gold()).toList());
            report.append(counts.report(category.getKey()));
            f1 += counts.f1();
        }
        double mean = categories.isEmpty() ? 0 : 100 * f1 / categories.size();
        return new Outcome(
                List.of(about().figure("F1", mean)),
                report.toString(),
                Map.of("pope.json", file(answers, model)),
                List.of());
    }

    private static byte[] file(List<Answered> answers, String model) {
        return ResultFiles.list(answers, one -> {
            ObjectNode entry = ResultFiles.object();
            entry.set("question_id", one.sample().row().get("question_id"));
            entry.put("text", one.answer()).put("model_id", model).putObject("metadata");
            return entry;
        });
    }
}
