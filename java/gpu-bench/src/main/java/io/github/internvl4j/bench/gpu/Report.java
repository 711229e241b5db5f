package io.github.internvl4j.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/** One table of JMH's results: the floor of each operation, ours, how far apart they are, and the peer. */
public final class Report {
    private static final String PRODUCTS = Products.class.getName() + ".";
    private static final String IMAGES = Images.class.getName() + ".";

    /** Microseconds of a row of the table, where they were measured. */
    private record Line(
            String name, OptionalDouble floor, OptionalDouble ours, String peer, OptionalDouble peers) {
        boolean empty() {
            return ours.isEmpty() && peers.isEmpty();
        }

        boolean whole() {
            return ours.isPresent() && peers.isPresent();
        }

        String text() {
            return String.format(
                    Locale.ROOT,
                    "%-34s %10s %10s %8s  %-6s %10s %9s",
                    name, cell(floor), cell(ours), ratio(ours, floor), peer, cell(peers), ratio(ours, peers));
        }

        private static String cell(OptionalDouble value) {
            return value.isPresent() ? String.format(Locale.ROOT, "%.1f", value.getAsDouble()) : "-";
        }

        private static String ratio(OptionalDouble value, OptionalDouble to) {
            return value.isPresent() && to.isPresent()
                    ? String.format(Locale.ROOT, "%.2f", value.getAsDouble() / to.getAsDouble())
                    : "-";
        }
    }

    private final Map<String, Double> scores = new HashMap<>();
    private final Optional<Roof> roof;

    Report(List<JsonNode> results, Optional<Roof> roof) {
        this.roof = roof;
        for (JsonNode file : results) {
            for (JsonNode result : file) {
                add(result);
            }
        }
    }

    private void add(JsonNode result) {
        JsonNode params = result.path("params");
        String key = result.path("benchmark").asText();
        if (key.startsWith(PRODUCTS)) {
            key = product(
                    key.substring(PRODUCTS.length()),
                    LinearLayer.valueOf(params.path("layer").asText()),
                    params.path("rows").asInt(),
                    DataType.valueOf(params.path("type").asText()));
        }
        scores.put(key, result.path("primaryMetric").path("score").asDouble());
    }

    /**
     * Prints the table. What a file lacks, because what should have written it failed, is missing in the table, too.
     *
     * @param arguments a file with what internvl4j_gpu_bench printed, and JMH's results as JSON
     */
    public static void main(String[] arguments) {
        if (arguments.length < 2) {
            System.err.println("usage: Report GPU_BENCH.txt RESULTS.json...");
            System.exit(2);
        }
        List<JsonNode> results = new ArrayList<>();
        for (String file : List.of(arguments).subList(1, arguments.length)) {
            try {
                results.add(new ObjectMapper().readTree(Path.of(file).toFile()));
            } catch (IOException e) {
                System.out.println(file + " has no results: " + String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
            }
        }
        System.out.print(new Report(results, roofIn(Path.of(arguments[0]))).text());
    }

    private static Optional<Roof> roofIn(Path file) {
        try {
            return Roof.in(Files.readString(file));
        } catch (IOException e) {
            System.out.println("no floors: " + e);
            return Optional.empty();
        }
    }

    String text() {
        List<Line> lines = lines();
        StringBuilder text = new StringBuilder(String.format(
                "%-34s %10s %10s %8s  %-6s %10s %9s%n",
                "microseconds", "floor", "ours", "/ floor", "peer", "its own", "ours / it"));
        lines.stream().filter(line -> !line.empty()).forEach(line -> text.append(line.text()).append('\n'));
        long missing = lines.stream().filter(line -> !line.whole()).count();
        if (missing > 0) {
            text.append(missing).append(" of ").append(lines.size()).append(" operations lack ours, the peer's or both\n");
        }
        return text.toString();
    }

    private List<Line> lines() {
        List<Line> lines = new ArrayList<>();
        for (DataType type : DataType.values()) {
            for (LinearLayer layer : LinearLayer.values()) {
                for (int rows : Products.ROWS) {
                    lines.add(new Line(
                            layer.label() + ", " + rows + (rows == 1 ? " row, " : " rows, ") + type.label(),
                            floor(Work.of(layer, rows, type), type),
                            score(product("ours", layer, rows, type)),
                            "cuBLAS",
                            score(product("cublas", layer, rows, type))));
                }
            }
        }
        lines.add(image("patches of an image, bf16", Work.ofPatches(), "patches"));
        lines.add(image("attention of an image, bf16", Work.ofAttention(), "attention"));
        return lines;
    }

    private Line image(String name, Work work, String benchmark) {
        return new Line(
                name,
                floor(work, DataType.BF16),
                score(IMAGES + benchmark + "Ours"),
                "cuDNN",
                score(IMAGES + benchmark + "Cudnn"));
    }

    private OptionalDouble floor(Work work, DataType type) {
        return roof.map(r -> OptionalDouble.of(r.floor(work, type))).orElse(OptionalDouble.empty());
    }

    private OptionalDouble score(String key) {
        Double score = scores.get(key);
        return score == null ? OptionalDouble.empty() : OptionalDouble.of(score);
    }

    private static String product(String whose, LinearLayer layer, int rows, DataType type) {
        return whose + " " + layer + " " + rows + " " + type;
    }
}
