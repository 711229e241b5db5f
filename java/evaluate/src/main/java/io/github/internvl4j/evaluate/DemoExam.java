package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.text.Turn;
import io.github.internvl4j.video.VideoFrames;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The demo checkpoint's exam: new dialogs of its own world, as {@code scripts/demo_model/exam.py} writes them. An answer is right if it is
 * the expected one to the letter.
 */
final class DemoExam extends Published {
    private static final String FOLDER = "demo/";
    /** An image's or a video's path, absolute. */
    private static final String FILES = "files";

    @Override
    public String name() {
        return "demo";
    }

    @Override
    public Decoding decoding() {
        return new Decoding(512, 0);
    }

    @Override
    public boolean hasTemplatesSystem() {
        return true; // the checkpoint was trained with it
    }

    @Override
    public boolean hasScriptsBeams() {
        return false; // it is no benchmark of the scripts
    }

    @Override
    public Samples samples(DataFolder data) throws IOException {
        Path keyFile = data.path(FOLDER + "key.jsonl");
        Map<String, ObjectNode> key = new HashMap<>();
        for (String line : Rows.lines(keyFile)) {
            ObjectNode one = Rows.object(line);
            key.put(Rows.required(one, "id"), one);
        }
        Rows rows = new Rows();
        rows.jsonLines(data.path(FOLDER + "requests.jsonl"), (position, row) -> {
            ObjectNode expected = key.get(Rows.required(row, "id"));
            if (expected == null) {
                throw new Rows.BadRow("dialog " + row.get("id") + " is not in " + keyFile);
            }
            return sample(data, position, row, expected);
        });
        return rows.done();
    }

    private static Sample sample(DataFolder data, int position, ObjectNode row, ObjectNode expected)
            throws IOException {
        List<Path> files = new ArrayList<>();
        row.path("images").forEach(image -> files.add(data.path(FOLDER + image.asText())));
        if (row.has("video")) {
            files.add(data.path(FOLDER + row.get("video").asText()));
        }
        ArrayNode paths = row.putArray(FILES);
        files.forEach(file -> paths.add(file.toString()));
        row.put("group", Rows.required(expected, "group"));
        row.put("kind", Rows.required(expected, "kind"));
        return new Sample(
                Rows.required(row, "id"),
                position,
                Rows.required(row, "prompt"),
                files.isEmpty() ? null : Picture.of(files.get(0)),
                Rows.required(expected, "answer"),
                row);
    }

    @Override
    public Prompt prompt(Sample sample) throws IOException {
        ObjectNode row = sample.row();
        List<Path> files = new ArrayList<>();
        row.path(FILES).forEach(file -> files.add(Path.of(file.asText())));
        if (row.has("video")) {
            try (VideoFrames video = VideoFrames.open(files.get(0))) {
                return Prompt.video(
                        sample.question(), video.sample(row.path("frames").asInt()));
            }
        }
        List<Image> images = new ArrayList<>();
        for (Path file : files) {
            images.add(Image.read(Picture.of(file).read(), file.toString()));
        }
        Prompt prompt = row.path("combine").asBoolean()
                ? Prompt.combined(sample.question(), images.toArray(new Image[0]))
                : Prompt.of(sample.question(), images);
        List<Turn> history = new ArrayList<>();
        row.path("history")
                .forEach(turn ->
                        history.add(Turn.of(turn.path(0).asText(), turn.path(1).asText())));
        return prompt.history(history);
    }

    @Override
    public Verdict judge(Sample sample, String answer) {
        return Verdict.of(answer, answer.equals(sample.gold()));
    }

    @Override
    public Outcome outcome(List<Answered> answers, DataFolder data, String model) {
        Map<String, List<Verdict>> groups = new LinkedHashMap<>();
        Map<String, List<Verdict>> kinds = new LinkedHashMap<>();
        for (Answered one : answers) {
            Verdict verdict = judge(one.sample(), one.answer());
            String group = one.sample().field("group");
            groups.computeIfAbsent(group, g -> new ArrayList<>()).add(verdict);
            kinds.computeIfAbsent(group + ": " + one.sample().field("kind"), k -> new ArrayList<>())
                    .add(verdict);
        }
        StringBuilder report = new StringBuilder();
        kinds.forEach((kind, verdicts) -> report.append(kind)
                .append(", ")
                .append(verdicts.size())
                .append(" dialogs: ")
                .append(Python.fixed(Percent.mean(verdicts), 1))
                .append("%\n"));
        List<Outcome.Figure> figures = new ArrayList<>();
        groups.forEach((group, verdicts) -> figures.add(about().figure(group, Percent.mean(verdicts))));
        String chance = Python.fixed(chance(answers), 1);
        return new Outcome(
                figures, report.toString(), Map.of(), List.of("chance with another dialog's image: " + chance + "%"));
    }

    /** How often two questions of the same words about one image have the same answer, in percent. */
    private static double chance(List<Answered> answers) {
        Map<String, List<String>> golds = new LinkedHashMap<>();
        for (Answered one : answers) {
            if (one.sample().field("group").equals("one image")) {
                golds.computeIfAbsent(one.sample().question(), q -> new ArrayList<>())
                        .add(one.sample().gold());
            }
        }
        double same = 0;
        int all = 0;
        for (List<String> asked : golds.values()) {
            if (asked.size() > 1) {
                long pairs = asked.stream()
                                .mapToLong(gold -> Collections.frequency(asked, gold))
                                .sum()
                        - asked.size();
                same += (double) pairs / (asked.size() - 1);
                all += asked.size();
            }
        }
        return all == 0 ? 0 : 100 * same / all;
    }
}
