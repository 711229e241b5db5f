package io.github.internvl4j.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Files that pyarrow wrote ({@code scripts/goldens/make_parquet_files.py}): several row groups and pages, with and without dictionaries, both
 * kinds of page, every compression. The system property {@code evaluation.parquet} names a folder of larger ones.
 */
class ParquetFileTest {
    private static final Path FILES = Path.of("src/test/resources/parquet");

    @TempDir
    Path folder;

    static List<Path> readable() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("evaluation.parquet", FILES.toString())))) {
            return files.filter(file -> !file.toString().contains("brotli"))
                    .sorted()
                    .toList();
        }
    }

    /** The script's row. */
    private static ObjectNode row(int i) {
        ObjectNode row = Rows.JSON.createObjectNode();
        row.put("id", "r" + i).put("question", "q" + i % 5 + " é").put("number", (long) i);
        row.put("real", i % 3 == 0 ? null : (Double) (i / 3.0));
        if (i % 7 == 0) {
            row.putNull("choices");
        } else {
            ArrayNode choices = row.putArray("choices");
            for (int choice = 0; choice < i % 4; choice++) {
                choices.add("c" + choice);
            }
        }
        ObjectNode metadata = row.putObject("metadata");
        List.of("a", "b").subList(0, i % 3).forEach(metadata.putArray("skills")::add);
        metadata.put("height", i % 9);
        return row;
    }

    @ParameterizedTest
    @MethodSource("readable")
    void readsWhatOthersWrite(Path path) throws IOException {
        ParquetFile file = ParquetFile.open(path);
        int number = 0;
        for (int group = 0; group < file.groups(); group++) {
            byte[][] pictures = file.pictures(group, "image");
            for (ParquetFile.Row row : file.rows(group)) {
                assertEquals(row(number), row.fields());
                byte[] picture = pictures[row.index()];
                if (number % 11 == 0) {
                    assertNull(picture);
                    assertEquals(Set.of(), row.pictures());
                } else {
                    assertEquals(Set.of("image"), row.pictures());
                    assertEquals("picture " + number, new String(picture, StandardCharsets.UTF_8));
                }
                number++;
            }
        }
        assertTrue(number >= 40, () -> path + " has too few rows");
    }

    private static Samples read(Path path) {
        Rows rows = new Rows();
        rows.parquet(path, (file, row, position) -> {
            JsonNode id = row.fields().get("id");
            return new Sample(id.asText(), position, "", List.of(), "", row.fields());
        });
        return rows.done();
    }

    @Test
    void aCompressionThatIsNotReadIsNamed() {
        Path path = FILES.resolve("brotli.parquet");
        IOException failure = assertThrows(
                ParquetException.class, () -> ParquetFile.open(path).rows(0));
        String message = String.valueOf(failure.getMessage());
        assertTrue(message.startsWith(path + " is compressed with BROTLI, expected SNAPPY"), message);
        assertTrue(message.contains("pq.write_table"), message);
        assertEquals(List.of(message), read(path).problems());
    }

    @Test
    void aDamagedRowGroupFailsAlone() throws IOException {
        byte[] bytes = Files.readAllBytes(FILES.resolve("zstd-2.0-dictionary.parquet"));
        Arrays.fill(bytes, 4, 60, (byte) 0xFF); // the first group's first column
        Path path = Files.write(folder.resolve("damaged.parquet"), bytes);
        Samples samples = read(path);
        assertEquals(24, samples.samples().size());
        assertEquals(16, samples.samples().get(0).position());
        assertEquals(1, samples.problems().size());
        assertTrue(
                samples.problems().get(0).startsWith(path + " is damaged, row group 0: "),
                samples.problems()::toString);
    }

    /** However a file is cut or spoilt, it is read or named. */
    @Test
    void anyDamageIsNamed() throws IOException {
        byte[] whole = Files.readAllBytes(FILES.resolve("snappy-1.0-dictionary.parquet"));
        Random random = new Random(7);
        for (int round = 0; round < 300; round++) {
            byte[] bytes = round % 3 == 0 ? Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
            for (int spoilt = 0; round % 3 != 0 && spoilt < 4; spoilt++) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            Path path = Files.write(folder.resolve("spoilt.parquet"), bytes);
            Samples samples = read(path);
            samples.problems().forEach(problem -> assertTrue(problem.startsWith(path.toString()), problem));
            assertTrue(round % 3 != 0 || !samples.problems().isEmpty());
        }
    }
}
