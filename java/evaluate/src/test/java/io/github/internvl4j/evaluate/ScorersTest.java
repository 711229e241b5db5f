package io.github.internvl4j.evaluate;

import static io.github.internvl4j.evaluate.Vectors.options;
import static io.github.internvl4j.evaluate.Vectors.read;
import static io.github.internvl4j.evaluate.Vectors.strings;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every case of every vector file. */
class ScorersTest {
    private static String letter(JsonNode one) {
        return OptionLetters.choose(one.get("prediction").asText(), options(one.get("options")));
    }

    @Test
    void textVqa() throws IOException {
        JsonNode vectors = read("textvqa.json");
        double sum = 0;
        for (JsonNode one : vectors.get("cases")) {
            List<String> people = strings(one.get("answers"));
            String prediction = one.get("prediction").asText();
            assertEquals(one.get("normalized").asText(), VqaAnswers.normalized(prediction), one::toString);
            assertEquals(
                    strings(one.get("normalized_answers")),
                    people.stream().map(VqaAnswers::normalized).toList());
            double score = VqaAnswers.score(prediction, people);
            assertEquals(one.get("score").asDouble(), score, one::toString);
            sum += score;
        }
        for (JsonNode one : vectors.get("normalize")) {
            assertEquals(
                    one.get("normalized").asText(),
                    VqaAnswers.normalized(one.get("text").asText()),
                    one::toString);
        }
        assertEquals(
                vectors.get("overall").asDouble(), sum / vectors.get("cases").size());
    }

    @Test
    void legacyVqa() throws IOException {
        JsonNode vectors = read("vqa-legacy.json");
        List<LegacyVqaReport.Scored> scores = new ArrayList<>();
        for (JsonNode one : vectors.get("cases")) {
            List<String> people = strings(one.get("answers"));
            String prediction = one.get("prediction").asText();
            assertEquals(one.get("normalized").asText(), VqaAnswers.legacyNormalized(prediction), one::toString);
            assertEquals(one.get("accuracy").asDouble(), VqaAnswers.legacyPercent(prediction, people), one::toString);
            scores.add(new LegacyVqaReport.Scored(
                    VqaAnswers.legacyScore(prediction, people),
                    one.get("question_type").asText(),
                    one.get("answer_type").asText()));
        }
        LegacyVqaReport report = LegacyVqaReport.of(scores);
        assertEquals(vectors.at("/accuracy/overall").asDouble(), report.overall());
        assertEquals(percents(vectors.at("/accuracy/perQuestionType")), report.byQuestionType());
        assertEquals(percents(vectors.at("/accuracy/perAnswerType")), report.byAnswerType());
    }

    private static Map<String, Double> percents(JsonNode types) {
        Map<String, Double> percents = new TreeMap<>();
        types.properties()
                .forEach(type -> percents.put(type.getKey(), type.getValue().asDouble()));
        return percents;
    }

    @Test
    void gqa() throws IOException {
        JsonNode vectors = read("gqa.json");
        List<GqaScorer.Case> cases = new ArrayList<>();
        for (JsonNode one : vectors.get("cases")) {
            String prediction = GqaScorer.normalized(one.get("prediction").asText());
            assertEquals(one.get("normalized").asText(), prediction, one::toString);
            List<String> operations = new ArrayList<>();
            one.get("operations")
                    .forEach(operation -> operations.add(
                            operation.get(0).asText() + ": " + operation.get(1).asText()));
            GqaScorer.Case parsed = new GqaScorer.Case(
                    prediction,
                    one.get("answer").asText(),
                    one.get("structural").asText(),
                    one.get("semantic").asText(),
                    operations,
                    one.get("words").asInt(),
                    one.get("group").isNull() ? null : one.get("group").asText());
            assertEquals(one.get("correct").asBoolean(), parsed.right(), one::toString);
            cases.add(parsed);
        }
        assertEquals(vectors.get("report").asText(), GqaScorer.report(cases));
    }

    @Test
    void pope() throws IOException {
        JsonNode vectors = read("pope.json");
        double f1 = 0;
        for (JsonNode group : vectors.get("groups")) {
            List<String> parsed = new ArrayList<>();
            List<String> labels = new ArrayList<>();
            for (JsonNode one : group.get("cases")) {
                parsed.add(PopeScorer.parse(one.get("text").asText()));
                labels.add(one.get("label").asText());
                assertEquals(one.get("parsed").asText(), parsed.get(parsed.size() - 1), one::toString);
            }
            PopeScorer.Counts counts = PopeScorer.Counts.of(parsed, labels);
            assertEquals(
                    strings(group.get("tp_fp_tn_fn")),
                    Stream.of(
                                    counts.truePositive(),
                                    counts.falsePositive(),
                                    counts.trueNegative(),
                                    counts.falseNegative())
                            .map(String::valueOf)
                            .toList());
            assertEquals(group.get("Accuracy").asDouble(), counts.accuracy());
            assertEquals(group.get("Precision").asDouble(), counts.precision());
            assertEquals(group.get("Recall").asDouble(), counts.recall());
            assertEquals(group.get("F1 score").asDouble(), counts.f1());
            assertEquals(group.get("Yes ratio").asDouble(), counts.yesRatio());
            f1 += counts.f1();
        }
        assertEquals(
                vectors.get("mean_f1").asDouble(), f1 / vectors.get("groups").size());
    }

    @Test
    void mme() throws IOException {
        JsonNode vectors = read("mme.json");
        for (JsonNode one : vectors.get("post_processing")) {
            checkMme(one);
        }
        for (JsonNode run : vectors.get("runs")) {
            Map<String, Double> points = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> task : run.get("answers").properties()) {
                List<Boolean> right = new ArrayList<>();
                for (JsonNode one : task.getValue()) {
                    right.add(checkMme(one).equals(one.get("gt").asText().toLowerCase(Locale.ROOT)));
                }
                points.put(task.getKey(), MmeScorer.points(right));
                assertEquals(run.get("tasks").get(task.getKey()).asDouble(), MmeScorer.points(right), task.getKey());
            }
            assertEquals(run.get("perception").asDouble(), sum(points, "/mme/Perception"));
            assertEquals(run.get("cognition").asDouble(), sum(points, "/mme/Cognition"));
        }
    }

    private static String checkMme(JsonNode one) {
        String response = MmeScorer.response(one.get("raw").asText());
        assertEquals(one.get("response").asText(), response, one::toString);
        assertEquals(one.get("label").asText(), MmeScorer.label(response), one::toString);
        return MmeScorer.label(response);
    }

    private static double sum(Map<String, Double> points, String tasks) {
        double sum = 0;
        for (String task : Tables.list(tasks)) {
            sum += points.getOrDefault(task, 0.0);
        }
        return sum;
    }

    @Test
    void mmbench() throws IOException {
        JsonNode vectors = read("mmbench.json");
        for (JsonNode one : vectors.get("letters")) {
            assertEquals(one.get("result").asText(""), letter(one), one::toString);
        }
        for (JsonNode one : vectors.get("exact_matching")) {
            String result =
                    one.get("result").isNull() ? null : one.get("result").asText();
            assertEquals(
                    result,
                    MmbenchMatching.match(one.get("prediction").asText(), options(one.get("options"))),
                    one::toString);
        }
        int hits = 0;
        for (JsonNode group : vectors.get("circular")) {
            MmbenchMatching.Group result = circular(group.get("rows"));
            assertEquals(group.get("hit").asInt() == 1, result.hit(), group::toString);
            assertEquals(group.get("decided").asBoolean(), result.decided(), group::toString);
            hits += result.hit() ? 1 : 0;
        }
        assertEquals(
                vectors.get("circular_accuracy").asDouble(),
                (double) hits / vectors.get("circular").size());
    }

    private static MmbenchMatching.Group circular(JsonNode rows) {
        List<MmbenchMatching.Copy> copies = new ArrayList<>();
        for (JsonNode row : rows) {
            Map<String, String> options = options(row);
            options.keySet().removeIf(key -> key.length() > 1);
            copies.add(new MmbenchMatching.Copy(
                    row.get("prediction").asText(), row.get("GT").asText(), options));
        }
        return MmbenchMatching.circular(copies);
    }

    @Test
    void scienceQa() throws IOException {
        JsonNode vectors = read("scienceqa.json");
        int right = 0;
        int all = 0;
        for (JsonNode one : vectors.get("cases")) {
            assertEquals(one.get("result").asText(""), letter(one), one::toString);
            if (!one.has("error")) {
                all++;
                right += letter(one).equals(one.get("answer").asText()) ? 1 : 0;
            }
        }
        assertEquals(vectors.get("accuracy").asDouble(), (double) right / all);
    }

    @Test
    void mmvp() throws IOException {
        JsonNode vectors = read("mmvp.json");
        List<Boolean> right = new ArrayList<>();
        for (JsonNode one : vectors.get("cases")) {
            Map<String, String> options =
                    MmvpFields.options(one.get("options_field").asText());
            assertEquals(options(one.get("options")), options, one::toString);
            assertEquals(
                    one.get("answer").asText(),
                    MmvpFields.gold(one.get("answer_field").asText()),
                    one::toString);
            assertEquals(one.get("result").asText(""), letter(one), one::toString);
            right.add(letter(one).equals(one.get("answer").asText()));
        }
        int pairs = 0;
        for (int i = 0; i + 1 < right.size(); i += 2) {
            pairs += right.get(i) && right.get(i + 1) ? 1 : 0;
        }
        assertEquals(vectors.get("accuracy").asDouble(), pairs / (right.size() / 2.0));
    }

    @Test
    void seed() throws IOException {
        JsonNode vectors = read("seed.json");
        List<SeedScorer.Case> cases = new ArrayList<>();
        for (JsonNode one : vectors.get("cases")) {
            SeedScorer.Case parsed = new SeedScorer.Case(
                    one.get("type").asInt(),
                    one.get("prediction").asText(),
                    one.get("answer").asText());
            assertEquals(one.get("correct").asBoolean(), parsed.right(), one::toString);
            cases.add(parsed);
        }
        assertEquals(vectors.get("acc_at_1_exact").asDouble(), SeedScorer.exact(cases));
        assertEquals(vectors.get("report").asText(), SeedScorer.report(cases));
    }

    @Test
    void mmmu() throws IOException {
        JsonNode vectors = read("mmmu.json");
        for (JsonNode one : vectors.get("letters")) {
            assertEquals(one.get("result").asText(""), letter(one), one::toString);
        }
        for (JsonNode one : vectors.get("open")) {
            Set<String> parsed = new TreeSet<>();
            MmmuAnswers.parse(one.get("response").asText())
                    .forEach(value ->
                            parsed.add(value instanceof Double number ? "[n]" + Python.text(number) : "[s]" + value));
            Set<String> expected = new TreeSet<>();
            one.get("parsed")
                    .forEach(value -> expected.add(
                            "[" + value.get(0).asText() + "]" + value.get(1).asText()));
            assertEquals(expected, parsed, one::toString);
            assertEquals(
                    one.get("correct").asBoolean(),
                    MmmuAnswers.isRight(one.get("response").asText(), golds(one.get("gold"))),
                    one::toString);
        }
        checkReport(vectors);
    }

    @Test
    void mmmusOwnParser() throws IOException {
        for (JsonNode one : read("mmmu.json").get("multiple_choice_parser")) {
            String letter = MmmuChoice.parse(one.get("response").asText(), options(one.get("options")));
            assertEquals(one.get("result").isNull() ? null : one.get("result").asText(), letter, one::toString);
        }
    }

    private static List<String> golds(JsonNode gold) {
        return gold.isArray() ? strings(gold) : List.of(gold.asText());
    }

    private static void checkReport(JsonNode vectors) {
        Map<String, MmmuAnswers.Subject> subjects = new LinkedHashMap<>();
        for (JsonNode record : vectors.get("records")) {
            JsonNode options = record.get("options");
            String response = record.get("response").asText();
            String prediction = options.isNull() ? response : OptionLetters.choose(response, options(options));
            assertEquals(record.get("prediction").asText(), prediction, record::toString);
            boolean right = record.get("question_type").asText().equals("multiple-choice")
                    ? record.get("gold").asText().equals(prediction)
                    : MmmuAnswers.isRight(prediction, golds(record.get("gold")));
            subjects.merge(
                    MmmuFields.subject(record.get("id").asText()),
                    new MmmuAnswers.Subject(1, right ? 1 : 0),
                    MmmuAnswers.Subject::plus);
        }
        Map<String, MmmuAnswers.Line> report = MmmuAnswers.report(subjects);
        assertEquals(
                List.copyOf(vectors.get("report").properties()).stream()
                        .map(Map.Entry::getKey)
                        .toList(),
                List.copyOf(report.keySet()));
        report.forEach((name, line) -> {
            assertEquals(vectors.get("report").get(name).get("num").asInt(), line.questions(), name);
            assertEquals(vectors.get("report").get(name).get("acc").asDouble(), line.accuracy(), name);
        });
    }

    @Test
    void mathVista() throws IOException {
        JsonNode vectors = read("mathvista.json");
        for (JsonNode one : vectors.get("cases")) {
            MathVistaAnswers.Problem problem = new MathVistaAnswers.Problem(
                    one.get("question_type").asText(),
                    one.get("answer_type").asText(),
                    one.get("choices").isNull() ? List.of() : strings(one.get("choices")),
                    one.get("precision").isNull() ? null : one.get("precision").asDouble());
            String response = one.get("response").asText();
            assertText(one, "extraction", MathVistaAnswers.extract(response, problem));
            assertText(
                    one,
                    "quick_extraction",
                    MathVistaAnswers.quickExtract("The answer is \"" + response + "\".", problem));
            assertText(one, "normalized", MathVistaAnswers.normalize(response, problem, false));
            assertText(one, "normalized_as_published", MathVistaAnswers.normalize(response, problem, true));
            assertEquals(
                    one.get("correct").asBoolean(),
                    one.get("answer").asText().equals(MathVistaAnswers.normalize(response, problem, false)),
                    one::toString);
        }
        for (JsonNode one : vectors.get("similar")) {
            assertEquals(
                    one.get("result").asText(),
                    MathVistaAnswers.mostSimilar(one.get("prediction").asText(), strings(one.get("choices"))));
        }
    }

    private static void assertText(JsonNode one, String field, @Nullable String value) {
        if (one.get(field).isNull()) {
            assertNull(value, () -> field + " of " + one);
        } else {
            assertEquals(one.get(field).asText(), value, () -> field + " of " + one);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "5.0",
                "1e-07",
                "1e+16",
                "-0.0",
                "0.1",
                "123456789012345.6",
                "2.5e-05",
                "0.0001",
                "1e+22",
                "nan",
                "-inf"
            })
    void realsAreWrittenAsPythonDoes(String text) {
        assertEquals(text, Python.text(Objects.requireNonNull(Python.real(text))));
    }

    /** Beside {@code json.dumps} of Python 3.11. */
    @Test
    void jsonIsWrittenAsPythonDoes() throws IOException {
        assertEquals(
                "\"\\u007f\\u0080\\u00e9\\ud83d\\ude00\\\"\\\\/\\b\\f\\u0000\\u001f~\"",
                PythonJson.line(Rows.JSON.valueToTree("\u007F\u0080é\uD83D\uDE00\"\\/\b\f\u0000\u001F~")));
        assertEquals(
                "[\n 100000.0,\n 1e+16,\n 1e-07,\n [],\n {},\n 1000000000000000000000000000000,\n null,\n true\n]",
                PythonJson.indented(
                        Rows.JSON.readTree(
                                "[1e5, 1E16, 0.0000001, [], {}, 1000000000000000000000000000000, null, true]"),
                        1));
    }

    @Test
    void listsAreParsed() {
        assertEquals(
                List.of("a'b", "c \"d\"", "é\n", "12", "Tête \\ x"),
                PythonList.parse("[\"a'b\", 'c \"d\"', '\\xe9\\n', 12, 'Tête \\\\ x']"));
        assertEquals(List.of(), PythonList.parse(" [] "));
    }

    /** Found by comparing with Python 3.11 on random strings. */
    @Test
    void oddCharactersAreTakenAsPythonDoes() {
        assertNull(Python.real("\u001C8"));
        assertEquals(8.0, Python.real("\u00A08\u3000"));
        assertEquals("", Python.strip("\u001C"));
        assertEquals("a\u03C2 \u03C3 4\u03C3\u0301", Python.lower("A\u03A3 \u03A3 4\u03A3\u0301"));
        List<String> found = Python.pattern("\\d+\\b")
                .matcher("5\uD835\uDFD5i -\uD835\uDFD5.")
                .results()
                .map(match -> match.group())
                .toList();
        assertEquals(List.of("\uD835\uDFD5"), found);
    }
}
