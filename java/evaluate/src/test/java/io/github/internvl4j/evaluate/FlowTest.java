package io.github.internvl4j.evaluate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The tiny data sets from their files to the results, with canned answers, beside what the original scripts made of them. */
class FlowTest {
    /** What the scripts write with {@code indent=4}; the other JSON files are on one line. */
    private static final Set<String> INDENTED =
            Set.of("MMMU_validation.json", "MMMU_test.json", "MathVista_testmini.json", "MathVista_test.json");

    private static final String MODEL = "pretrained/InternVL-Chat-V1-2";

    private static DataFolder data() {
        return DataFolder.of(Vectors.folder().resolve("datasets"));
    }

    static List<String> expected() throws IOException {
        try (Stream<Path> files = Files.list(Vectors.folder().resolve("expected"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("expected")
    void givesTheOriginalsFiles(String name) throws IOException {
        JsonNode expected = Vectors.read("expected/" + name);
        Benchmark benchmark =
                Benchmarks.named(List.of(expected.get("benchmark").asText())).get(0);
        checkSettings(expected.get("generation"), benchmark.decoding());
        Samples samples = benchmark.samples(data());
        assertEquals(List.of(), samples.problems());
        List<Answered> answers = answers(expected.get("samples"), samples.samples());
        Outcome outcome = benchmark.outcome(answers, data(), MODEL);
        assertEquals(
                names(expected.get("results")), new TreeSet<>(outcome.files().keySet()));
        for (Map.Entry<String, byte[]> file : outcome.files().entrySet()) {
            check(expected.get("results").get(file.getKey()), file);
        }
        checkDigests(name, outcome.files());
        checkPrinted(expected, outcome);
    }

    private static TreeSet<String> names(JsonNode results) {
        TreeSet<String> names = new TreeSet<>();
        results.properties().forEach(file -> names.add(file.getKey()));
        return names;
    }

    private static void checkSettings(JsonNode expected, Decoding decoding) {
        assertEquals(expected.get("max_new_tokens").asInt(), decoding.maxNewTokens());
        assertEquals(expected.path("min_new_tokens").asInt(0), decoding.minNewTokens());
        assertEquals(1, expected.get("num_beams").asInt());
    }

    private static List<Answered> answers(JsonNode expected, List<Sample> samples) throws IOException {
        assertEquals(expected.size(), samples.size());
        List<Answered> answers = new ArrayList<>();
        for (int i = 0; i < samples.size(); i++) {
            JsonNode one = expected.get(i);
            assertEquals(one.get("question").asText(), samples.get(i).question());
            assertEquals(one.get("images").asInt(), samples.get(i).pictures().size());
            assertTrue(samples.get(i).pictures().get(0).image().width() > 0);
            answers.add(new Answered(samples.get(i), one.get("answer").asText()));
        }
        return answers;
    }

    /**
     * Byte for byte. Excel's file is a zip with the time in it and another library's XML, so its cells are compared, and that numbers
     * are numbers.
     */
    private static void check(JsonNode expected, Map.Entry<String, byte[]> file) throws IOException {
        assertNotNull(expected, file.getKey());
        if (file.getKey().endsWith(".xlsx")) {
            assertEquals(sheet(expected.get("rows")), sheet(file.getValue()));
        } else {
            String text = new String(file.getValue(), StandardCharsets.UTF_8);
            assertEquals(written(file.getKey(), expected), text);
            assertArrayEquals(text.getBytes(StandardCharsets.UTF_8), file.getValue());
        }
    }

    /** The text of a file of this content. */
    private static String written(String name, JsonNode content) {
        if (name.endsWith(".txt")) {
            return content.asText();
        }
        if (name.endsWith(".jsonl")) {
            StringBuilder lines = new StringBuilder();
            content.forEach(one -> lines.append(PythonJson.line(one)).append('\n'));
            return lines.toString();
        }
        return INDENTED.contains(name) ? PythonJson.indented(content, 4) : PythonJson.line(content);
    }

    /** What Python itself writes, by its digests: so {@link PythonJson} is not its own judge. */
    private static void checkDigests(String name, Map<String, byte[]> files) throws IOException {
        if (!Files.exists(Vectors.folder().resolve("digests.json"))) {
            return; // vectors of another seed
        }
        JsonNode digests = Vectors.read("digests.json").path(name);
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            if (!file.getKey().endsWith(".xlsx")) {
                assertEquals(digests.path(file.getKey()).asText(), Digest.of(file.getValue()), file.getKey());
            }
        }
    }

    /**
     * What the original printed. A scorer's output is in the report as it is; POPE's by category, because their order is the file
     * system's. Lines about commands that were run are none of a report.
     */
    private static void checkPrinted(JsonNode expected, Outcome outcome) {
        for (JsonNode output : expected.path("scores")) {
            for (String text : output.asText().split("(?<====\n)(?=Category: )")) {
                assertTrue(text.startsWith("(skipped") || outcome.report().contains(text), text);
            }
        }
        List<String> lines = outcome.report().lines().toList();
        for (JsonNode printed : expected.path("printed")) {
            String line = printed.asText();
            // GQA's first line stands behind the name.
            assertTrue(
                    line.startsWith("cd ./data") || lines.contains(line.equals("gqa_testdev_llava ") ? "" : line),
                    line);
        }
    }

    private static List<List<String>> sheet(JsonNode rows) {
        List<List<String>> cells = new ArrayList<>();
        rows.forEach(row -> {
            List<String> texts = new ArrayList<>();
            row.forEach(cell -> texts.add(cell.isNull() ? "" : (cell.isNumber() ? "#" : "") + cell.asText()));
            cells.add(texts);
        });
        return cells;
    }

    private static List<List<String>> sheet(byte[] file) throws IOException {
        return new SheetReader(file).rows();
    }

    @Test
    void readsMmesOwnLayout() throws IOException {
        Samples samples = new Mme("mme-release").samples(data());
        assertEquals(List.of(), samples.problems());
        assertEquals(8, samples.samples().size());
        for (Sample sample : samples.samples()) {
            assertTrue(sample.pictures().get(0).read().length > 0);
        }
    }

    @Test
    void mathVistaByRulesAlone() throws IOException {
        JsonNode expected = Vectors.read("expected/MathVista_testmini.json");
        Benchmark benchmark = new MathVista("testmini");
        List<Answered> answers =
                answers(expected.get("samples"), benchmark.samples(data()).samples());
        checkRules(expected.at("/without_judge/as_published"), answers, true);
        checkRules(expected.at("/without_judge/integer_precision"), answers, false);
    }

    private static void checkRules(JsonNode expected, List<Answered> answers, boolean asPublished) {
        for (Answered one : answers) {
            ArrayNode prediction =
                    (ArrayNode) expected.get("predictions").get(one.sample().id());
            assertEquals(prediction.get(0).asText(), byRules(one));
            assertEquals(
                    prediction.get(1).isNull() ? null : prediction.get(1).asText(),
                    MathVistaAnswers.normalize(byRules(one), MathVista.problem(one.sample()), asPublished));
        }
        assertEquals(
                expected.at("/scores/average/accuracy").asDouble(),
                MathVista.accuracy(answers, FlowTest::byRules, asPublished));
    }

    private static String byRules(Answered one) {
        String extraction = MathVistaAnswers.extract(one.answer(), MathVista.problem(one.sample()));
        return extraction == null ? "" : extraction;
    }

    @Test
    void twoSheetsAreTheSameBytes() throws IOException {
        List<List<String>> rows = List.of(List.of("7", "x"));
        byte[] sheet = Sheet.write(List.of("index", "A"), rows, "index");
        assertEquals(List.of(List.of("index", "A"), List.of("#7", "x")), sheet(sheet));
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(sheet))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                assertEquals(1980, entry.getTimeLocal().getYear(), entry.getName());
            }
        }
    }
}
