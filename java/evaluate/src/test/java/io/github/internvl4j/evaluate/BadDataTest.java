package io.github.internvl4j.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Data sets as people have them: edited, cut off, twice the same. What is bad is named, the rest is read. */
class BadDataTest {
    @TempDir
    Path folder;

    @BeforeEach
    void copy() throws IOException {
        Path sets = Vectors.folder().resolve("datasets");
        for (String set : List.of("pope", "mmbench", "MMVP", "SEED", "textvqa", "mme")) {
            try (Stream<Path> all = Files.walk(sets.resolve(set))) {
                for (Path file : all.toList()) {
                    Path target = folder.resolve(sets.relativize(file).toString());
                    if (Files.isDirectory(file)) {
                        Files.createDirectories(target);
                    } else {
                        Files.copy(file, target);
                    }
                }
            }
        }
    }

    private Samples samples(String benchmark) throws IOException {
        return Benchmarks.named(List.of(benchmark)).get(0).samples(DataFolder.of(folder));
    }

    private String text(String file) throws IOException {
        return Files.readString(folder.resolve(file));
    }

    private void write(String file, String text) throws IOException {
        Files.writeString(folder.resolve(file), text);
    }

    private static List<String> questions(Samples samples) {
        assertEquals(List.of(), samples.problems());
        // A cell keeps the line ends inside of it.
        return samples.samples().stream()
                .map(sample -> sample.question().replace("\r\n", "\n"))
                .toList();
    }

    @Test
    void otherLineEndsAndAByteOrderMarkChangeNothing() throws IOException {
        for (String[] set : new String[][] {
            {"pope", "pope/llava_pope_test.jsonl"},
            {"MMVP", "MMVP/Questions.csv"},
            {"mmbench_test_en_20231003", "mmbench/mmbench_test_en_20231003.tsv"},
            {"textvqa_val", "textvqa/textvqa_val_annotations.json"},
            {"mme", "mme/Your_Results/OCR.txt"}
        }) {
            List<String> before = questions(samples(set[0]));
            String same = text(set[1]).replace("\r\n", "\n").replace("\n", "\r\n");
            write(set[1], "\uFEFF" + same);
            assertEquals(before, questions(samples(set[0])), set[1]);
        }
    }

    @Test
    void emptyFilesAreNamed() throws IOException {
        write("pope/llava_pope_test.jsonl", "");
        write("MMVP/Questions.csv", "");
        write("textvqa/textvqa_val_annotations.json", "");
        write("mme/Your_Results/OCR.txt", "\n\n");
        assertEquals(
                List.of(folder.resolve("pope/llava_pope_test.jsonl") + " has no rows"),
                samples("pope").problems());
        assertEquals(
                List.of(folder.resolve("MMVP/Questions.csv") + " has no rows"),
                samples("MMVP").problems());
        IOException failure = assertThrows(IOException.class, () -> samples("textvqa_val"));
        assertEquals(
                folder.resolve("textvqa/textvqa_val_annotations.json") + " is empty, expected JSON",
                failure.getMessage());
        Samples mme = samples("mme");
        assertEquals(List.of(folder.resolve("mme/Your_Results/OCR.txt") + " has no rows"), mme.problems());
        assertTrue(mme.samples().size() > 20);
    }

    @Test
    void badRowsAreNamedByTheirNumber() throws IOException {
        String pope = text("pope/llava_pope_test.jsonl");
        write("pope/llava_pope_test.jsonl", pope + "[1]\n{\"question_id\": 99}\nnull\n");
        Samples samples = samples("pope");
        int rows = samples.samples().size();
        String file = folder.resolve("pope/llava_pope_test.jsonl").toString();
        assertEquals(
                List.of(
                        file + ", row " + (rows + 1) + ": is no JSON object",
                        file + ", row " + (rows + 2) + ": field category is missing",
                        file + ", row " + (rows + 3) + ": is no JSON object"),
                samples.problems());
    }

    @Test
    void anIdThatStandsTwiceIsNamed() throws IOException {
        String seed = text("SEED/seed.jsonl");
        Sample first = samples("SEEDv1").samples().get(0);
        int rows = samples("SEEDv1").samples().size();
        write("SEED/seed.jsonl", seed + seed.lines().findFirst().orElseThrow() + "\n");
        Samples samples = samples("SEEDv1");
        assertEquals(rows, samples.samples().size());
        assertEquals(
                List.of(folder.resolve("SEED/seed.jsonl") + ", row " + (rows + 1) + ": id " + first.id()
                        + " stands in an earlier row too, expected each once"),
                samples.problems());
    }

    @Test
    void bytesThatAreNoUtf8SpoilOnlyTheirRow() throws IOException {
        Path file = folder.resolve("SEED/seed.jsonl");
        byte[] bytes = Files.readAllBytes(file);
        int all = samples("SEEDv1").samples().size();
        bytes[0] = (byte) 0xFF;
        Files.write(file, bytes);
        Samples samples = samples("SEEDv1");
        assertEquals(all - 1, samples.samples().size());
        assertTrue(samples.problems().get(0).startsWith(file + ", row 1: is no JSON"), samples.problems()::toString);
    }

    @Test
    void tableRowsWithTooFewOrTooManyCellsAreNamed() throws IOException {
        String file = "mmbench/mmbench_test_en_20231003.tsv";
        int all = samples("mmbench_test_en_20231003").samples().size();
        write(file, text(file).stripTrailing() + "\nx\tWhat?\n\u5B57\n7" + "\t8".repeat(40) + "\n");
        Samples samples = samples("mmbench_test_en_20231003");
        assertEquals(all, samples.samples().size());
        assertEquals(3, samples.problems().size());
        samples.problems().forEach(problem -> assertTrue(problem.startsWith(folder.resolve(file) + ", row "), problem));
    }

    @Test
    void aHundredThousandRowsAreRead() throws IOException {
        StringBuilder lines = new StringBuilder();
        StringBuilder labels = new StringBuilder();
        for (int i = 0; i < 100_000; i++) {
            lines.append("{\"question_id\": ")
                    .append(i)
                    .append(", \"image\": \"x.jpg\", \"text\": \"\u5B57 ")
                    .append(i)
                    .append("\", \"category\": \"random\"}\n");
            labels.append("{\"label\": \"yes\"}\n");
        }
        Files.write(
                folder.resolve("pope/llava_pope_test.jsonl"), lines.toString().getBytes(StandardCharsets.UTF_8));
        write("pope/coco/coco_pope_random.json", labels.toString());
        Samples samples = samples("pope");
        assertEquals(List.of(), samples.problems());
        assertEquals(100_000, samples.samples().size());
        Files.delete(folder.resolve("pope/llava_pope_test.jsonl"));
        assertThrows(MissingDataException.class, () -> samples("pope"));
    }
}
