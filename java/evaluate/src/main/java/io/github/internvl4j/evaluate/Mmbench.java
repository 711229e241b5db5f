package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** MMBench: a TSV with pictures in it; circular copies of a question are rows of their own. */
final class Mmbench extends Published {
    private static final Set<String> MISSING = new HashSet<>(Tables.list("/tsv_missing"));
    private static final Set<String> UNSENT = Set.of("hint", "category", "source", "image", "comment", "l2-category");
    /** Where the server expects the prediction. */
    private static final int PREDICTION = 6;
    /** A shorter cell of a picture names another row. */
    private static final int LONGEST_INDEX = 64;
    /** Between the copies of a question. */
    private static final long CIRCULAR = 1_000_000;

    private final String name;

    /** @param name of the file, without its ending */
    Mmbench(String name) {
        this.name = name;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Decoding decoding() {
        return new Decoding(100, 1);
    }

    @Override
    public Samples samples(DataFolder data) throws IOException {
        Path file = data.path("mmbench/" + name + ".tsv");
        Table table = Table.read(file, '\t');
        Map<String, String> pictures = new HashMap<>();
        table.rows()
                .forEach(row -> pictures.put(
                        row.path("index").asText(), row.path("image").asText()));
        Rows rows = new Rows();
        rows.each(file, table.rows(), (position, row) -> sample(file, table.header(), position, row, pictures));
        return rows.done();
    }

    private Sample sample(Path file, List<String> header, int position, ObjectNode row, Map<String, String> pictures)
            throws IOException {
        String image = Rows.required(row, "image");
        String picture = image.length() > LONGEST_INDEX ? image : pictures.getOrDefault(image, "");
        row.remove("image"); // long, and no score needs it
        row.properties().removeIf(cell -> MISSING.contains(cell.getValue().asText()));
        row.set("header", Rows.JSON.valueToTree(header));
        String index = Rows.required(row, "index");
        Long.parseLong(index);
        String hint = row.path("hint").asText("");
        String question = (row.has("hint") ? hint + "\n" : "") + Rows.required(row, "question");
        String suffix = name.contains("_cn_") ? Questions.CHINESE_LETTER : Questions.LETTER;
        return new Sample(
                index,
                position,
                Questions.choice(question, options(row), suffix),
                new Encoded(file + ", row " + (position + 1) + ", field image", picture),
                row.path("answer").asText(""),
                row);
    }

    /** A picture in a cell. */
    private record Encoded(String name, String base64) implements Picture {
        @Override
        public byte[] read() throws IOException {
            try {
                if (!base64.isEmpty()) {
                    return Base64.getMimeDecoder().decode(base64);
                }
            } catch (IllegalArgumentException failure) {
                throw new IOException(name + " is no base64: " + failure.getMessage(), failure);
            }
            throw new IOException(name + " has no picture: expected base64, or another row's index");
        }
    }

    private static Map<String, String> options(ObjectNode row) {
        Map<String, String> options = new LinkedHashMap<>();
        for (String letter : List.of("A", "B", "C", "D", "E")) {
            if (row.has(letter)) {
                options.put(letter, row.get(letter).asText());
            }
        }
        return options;
    }

    private boolean isDev() {
        return name.contains("_dev_");
    }

    @Override
    public Verdict judge(Sample sample, String answer) {
        String letter = OptionLetters.choose(answer, options(sample.row()));
        return isDev() ? Verdict.of(letter, letter.equals(sample.gold())) : Verdict.unknown(letter);
    }

    @Override
    public Outcome outcome(List<Answered> answers, DataFolder data, String model) throws IOException {
        Map<String, byte[]> files = Map.of(name + ".xlsx", sheet(answers));
        if (!isDev()) {
            return new Outcome(List.of(), "", files, List.of());
        }
        Map<Long, List<MmbenchMatching.Copy>> groups = new LinkedHashMap<>();
        for (Answered one : answers) {
            groups.computeIfAbsent(Long.parseLong(one.sample().id()) % CIRCULAR, g -> new ArrayList<>())
                    .add(new MmbenchMatching.Copy(
                            judge(one.sample(), one.answer()).processed(),
                            one.sample().gold(),
                            options(one.sample().row())));
        }
        List<MmbenchMatching.Group> results =
                groups.values().stream().map(MmbenchMatching::circular).toList();
        long hits = results.stream().filter(MmbenchMatching.Group::hit).count();
        long open = results.stream().filter(group -> !group.decided()).count();
        double accuracy = Percent.of(hits, results.size());
        List<String> notes = open == 0
                ? List.of()
                : List.of(open + " of " + results.size() + " groups need a judge and count as wrong: an estimate");
        return new Outcome(
                List.of(about().figure("circular accuracy", accuracy)),
                "circular accuracy " + Python.text(accuracy) + "\n",
                files,
                notes);
    }

    private byte[] sheet(List<Answered> answers) throws IOException {
        List<String> columns = new ArrayList<>();
        if (!answers.isEmpty()) {
            answers.get(0).sample().row().path("header").forEach(column -> columns.add(column.asText()));
        }
        columns.removeIf(UNSENT::contains);
        columns.add(Math.min(PREDICTION, columns.size()), "prediction");
        List<List<String>> rows = new ArrayList<>();
        for (Answered one : answers) {
            ObjectNode row = one.sample().row().deepCopy();
            row.put("prediction", judge(one.sample(), one.answer()).processed());
            rows.add(columns.stream().map(column -> row.path(column).asText("")).toList());
        }
        return Sheet.write(columns, rows, "index");
    }
}
