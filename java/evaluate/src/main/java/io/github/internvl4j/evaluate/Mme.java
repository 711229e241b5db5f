package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** MME: yes and no about a picture, two questions each, in fourteen tasks. */
final class Mme extends Published {
    private static final List<String> PERCEPTION = Tables.list("/mme/Perception");
    private static final List<String> COGNITION = Tables.list("/mme/Cognition");
    private static final String RELEASE = "/MME_Benchmark_release_version";

    private final String folder;

    /** @param folder below the data folder */
    Mme(String folder) {
        this.folder = folder;
    }

    @Override
    public String name() {
        return "mme";
    }

    @Override
    public Decoding decoding() {
        return new Decoding(20, 0); // the one script without min_new_tokens
    }

    @Override
    public Samples samples(DataFolder data) throws IOException {
        Rows rows = new Rows();
        List<Path> tasks = data.files(folder + "/Your_Results", "", ".txt");
        for (Path file : tasks) {
            String task = withoutEnding(file);
            taskFile(rows, file, task, data.path(folder + RELEASE + "/" + task));
        }
        if (tasks.isEmpty()) {
            release(rows, data);
        }
        return rows.done();
    }

    private static String withoutEnding(Path file) {
        String name = file.getFileName().toString();
        return name.substring(0, name.lastIndexOf('.'));
    }

    private static void taskFile(Rows rows, Path file, String task, Path pictures) throws IOException {
        rows.each(file, Rows.lines(file), (position, line) -> {
            List<String> fields = fields(line, 3);
            String name = fields.get(0);
            // The release has five tasks' pictures one folder deeper.
            Path inner = pictures.resolve("images").resolve(name);
            Path picture = Files.exists(inner) ? inner : pictures.resolve(name);
            return sample(task, position, name, fields.get(1), fields.get(2), picture);
        });
    }

    private static List<String> fields(String line, int count) throws IOException {
        List<String> fields = Python.split(line, "\t");
        if (fields.size() != count) {
            throw new Rows.BadRow("expected " + count + " fields with tabs between, found " + fields.size());
        }
        return fields;
    }

    private static Sample sample(String task, int position, String image, String question, String gold, Path picture) {
        ObjectNode row = ResultFiles.object();
        row.put("task", task).put("image", image).put("gt", Python.strip(gold));
        String asked = question + " " + Questions.SHORT;
        return new Sample(task + "/" + position, position, asked, Picture.of(picture), Python.strip(gold), row);
    }

    /** The benchmark's own layout: a file of two questions beside each picture. */
    private void release(Rows rows, DataFolder data) throws IOException {
        Path root = data.path(folder + RELEASE);
        if (!Files.isDirectory(root)) {
            throw new MissingDataException("folder " + data.path(folder + "/Your_Results") + " or " + root);
        }
        try (Stream<Path> folders = Files.list(root)) {
            for (Path task : folders.filter(Files::isDirectory).sorted().toList()) {
                releaseTask(rows, task);
            }
        }
    }

    private static void releaseTask(Rows rows, Path task) throws IOException {
        Path apart = task.resolve("questions_answers_YN");
        boolean isApart = Files.isDirectory(apart);
        Path pictures = isApart ? task.resolve("images") : task;
        int position = 0;
        try (Stream<Path> files = Files.list(isApart ? apart : task)) {
            for (Path file : files.filter(one -> one.toString().endsWith(".txt"))
                    .sorted()
                    .toList()) {
                for (String line : Rows.lines(file)) {
                    int at = position++;
                    rows.add(file, at % 2, () -> {
                        List<String> fields = fields(line, 2);
                        Path picture = picture(pictures, withoutEnding(file));
                        String name = picture.getFileName().toString();
                        return sample(task.getFileName().toString(), at, name, fields.get(0), fields.get(1), picture);
                    });
                }
            }
        }
    }

    private static Path picture(Path folder, String name) {
        return Stream.of(".jpg", ".png", ".jpeg")
                .map(ending -> folder.resolve(name + ending))
                .filter(Files::exists)
                .findFirst()
                .orElse(folder.resolve(name + ".jpg"));
    }

    @Override
    public Verdict judge(Sample sample, String answer) {
        String response = MmeScorer.response(answer);
        return Verdict.of(response, MmeScorer.label(response).equals(Python.lower(sample.gold())));
    }

    @Override
    public Outcome outcome(List<Answered> answers, DataFolder data, String model) {
        Map<String, List<Boolean>> right = new LinkedHashMap<>();
        Map<String, StringBuilder> files = new LinkedHashMap<>();
        for (Answered one : answers) {
            String task = one.sample().field("task");
            Verdict verdict = judge(one.sample(), one.answer());
            right.computeIfAbsent(task, t -> new ArrayList<>()).add(verdict.right());
            files.computeIfAbsent(task + ".txt", t -> new StringBuilder())
                    .append(one.sample().field("image") + "\t" + one.sample().question() + "\t"
                            + one.sample().gold() + "\t" + verdict.processed() + "\n");
        }
        Map<String, Double> points = new LinkedHashMap<>();
        right.forEach((task, each) -> points.put(task, MmeScorer.points(each)));
        Map<String, byte[]> results = new LinkedHashMap<>();
        files.forEach((name, text) -> results.put(name, ResultFiles.text(text.toString())));
        return new Outcome(
                List.of(
                        about().figure("perception", sum(points, PERCEPTION)),
                        about().figure("cognition", sum(points, COGNITION))),
                report("Perception", PERCEPTION, points) + report("Cognition", COGNITION, points),
                results,
                List.of());
    }

    private static double sum(Map<String, Double> points, List<String> tasks) {
        double sum = 0;
        for (String task : tasks) {
            sum += points.getOrDefault(task, 0.0);
        }
        return sum;
    }

    private static String report(String title, List<String> tasks, Map<String, Double> points) {
        StringBuilder report = new StringBuilder(
                "=========== " + title + " ===========\ntotal score: " + Python.text(sum(points, tasks)) + " \n\n");
        tasks.stream()
                .filter(points::containsKey)
                .forEach(task -> report.append("\t ")
                        .append(task)
                        .append("  score: ")
                        .append(Python.text(points.getOrDefault(task, 0.0)))
                        .append('\n'));
        return report.append("\n\n").toString();
    }
}
