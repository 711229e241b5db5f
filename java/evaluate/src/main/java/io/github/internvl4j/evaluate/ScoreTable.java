package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Our figures beside the card's: as text, as Markdown and as JSON. */
public final class ScoreTable {
    private static final List<String> HEADER =
            List.of("benchmark", "figure", "ours", "card", "difference", "answered", "remarks");

    private final List<Result> results;
    private final RunFacts facts;

    /** @param facts what the answers depend on */
    public ScoreTable(List<Result> results, RunFacts facts) {
        this.results = List.copyOf(results);
        this.facts = facts;
    }

    /** Writes {@code table.txt}, {@code table.md} and {@code table.json}. */
    public void write(Path folder) throws IOException {
        Files.writeString(folder.resolve("table.txt"), text());
        Files.writeString(folder.resolve("table.md"), markdown());
        Files.writeString(folder.resolve("table.json"), json());
    }

    private List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        for (Result result : results) {
            if (result.figures().isEmpty()) {
                rows.add(row(result, "", "", "", ""));
            }
            for (Outcome.Figure figure : result.figures()) {
                Double card = figure.card();
                boolean beside = card != null && !result.partial();
                rows.add(row(
                        result,
                        figure.name(),
                        Python.fixed(figure.value(), 1),
                        beside && card != null ? Python.fixed(card, 1) : "",
                        beside && card != null ? difference(figure.value() - card) : ""));
            }
        }
        return rows;
    }

    private static String difference(double difference) {
        String text = Python.fixed(difference, 1);
        return text.startsWith("-") ? text : "+" + text;
    }

    private static List<String> row(Result result, String figure, String ours, String card, String difference) {
        return List.of(
                result.benchmark().name(),
                figure,
                ours,
                card,
                difference,
                result.answered() + " of " + expected(result),
                String.join("; ", remarks(result)));
    }

    private static int expected(Result result) {
        return Math.max(result.found(), result.benchmark().about().questions());
    }

    private static List<String> remarks(Result result) {
        List<String> remarks = new ArrayList<>();
        if (result.partial()) {
            remarks.add("PARTIAL, not the card's figure");
        }
        if (!result.problems().isEmpty()) {
            remarks.add(result.problems().size() + " failed");
        }
        remarks.addAll(result.notes());
        return remarks;
    }

    /** What the answers depend on, in one line. */
    private String head() {
        return String.join(
                ", ",
                facts.map().entrySet().stream()
                        .sorted(Map.Entry.comparingByKey())
                        .map(fact -> fact.getKey() + ": " + fact.getValue())
                        .toList());
    }

    /** In columns. */
    public String text() {
        List<List<String>> rows = new ArrayList<>(List.of(HEADER));
        rows.addAll(rows());
        StringBuilder text = new StringBuilder(head()).append('\n');
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < row.size(); column++) {
                int at = column;
                int width = rows.stream()
                        .mapToInt(one -> one.get(at).length())
                        .max()
                        .orElse(0);
                String cell = row.get(column);
                line.append(cell).append(" ".repeat(width - cell.length() + 2));
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }

    /** As Markdown. */
    public String markdown() {
        StringBuilder text = new StringBuilder(head()).append("\n\n");
        text.append("| ").append(String.join(" | ", HEADER)).append(" |\n|").append(" --- |".repeat(HEADER.size()));
        rows().forEach(row ->
                text.append("\n| ").append(String.join(" | ", row)).append(" |"));
        return text.append('\n').toString();
    }

    /** As JSON, with what the answers depend on. */
    public String json() {
        ObjectNode json = ResultFiles.object();
        ObjectNode run = json.putObject("run");
        facts.map().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(fact -> run.put(fact.getKey(), fact.getValue()));
        ArrayNode benchmarks = json.putArray("benchmarks");
        results.forEach(result -> add(benchmarks.addObject(), result));
        return PythonJson.indented(json, 2) + "\n";
    }

    private static void add(ObjectNode json, Result result) {
        json.put("benchmark", result.benchmark().name());
        ArrayNode figures = json.putArray("figures");
        for (Outcome.Figure figure : result.figures()) {
            figures.addObject()
                    .put("name", figure.name())
                    .put("ours", figure.value())
                    .put("card", figure.card());
        }
        json.put("answered", result.answered()).put("found", result.found());
        json.put("published", result.benchmark().about().questions()).put("partial", result.partial());
        ArrayNode notes = json.putArray("notes");
        result.notes().forEach(notes::add);
        ArrayNode problems = json.putArray("problems");
        result.problems().forEach(problems::add);
    }
}
