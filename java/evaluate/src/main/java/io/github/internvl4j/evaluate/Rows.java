package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The rows of a data set, and what is wrong with them. */
final class Rows {
    static final ObjectMapper JSON = JsonMapper.builder().build();

    private final List<Sample> samples = new ArrayList<>();
    private final Set<String> ids = new HashSet<>();
    private final List<String> problems = new ArrayList<>();

    /** Makes a sample of a row. */
    interface Maker<T> {
        /** @throws BadRow if a field is missing or not as expected */
        Sample make(int position, T row) throws IOException;
    }

    /** A row that is not as expected. */
    static final class BadRow extends IOException {
        private static final long serialVersionUID = 1;

        BadRow(String what) {
            super(what);
        }
    }

    /** A field as text. */
    static String required(JsonNode row, String field) throws BadRow {
        JsonNode value = row.path(field);
        if (value.isMissingNode() || value.isNull()) {
            throw new BadRow("field " + field + " is missing");
        }
        return value.asText();
    }

    /** Fails where a file that everything needs is not there. */
    static Path requireFile(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new MissingDataException("file " + file);
        }
        return file;
    }

    /** JSON, one object a line. */
    void jsonLines(Path file, Maker<ObjectNode> maker) throws IOException {
        each(file, lines(file), (position, line) -> maker.make(position, object(line)));
    }

    /** Of each of a file's rows a sample, or a problem in its place. */
    <T> void each(Path file, Iterable<T> rows, Maker<T> maker) {
        int position = 0;
        for (T row : rows) {
            int at = position++;
            add(file, at, () -> maker.make(at, row));
        }
        requireRows(file, position);
    }

    /** A file without a row is a problem: it may be cut off. */
    void requireRows(Path file, int rows) {
        if (rows == 0) {
            problems.add(file + " has no rows");
        }
    }

    /** Makes a sample of a row of a Parquet file. */
    interface ParquetMaker {
        /** @throws BadRow if a column is missing or not as expected */
        Sample make(ParquetFile file, ParquetFile.Row row, int position) throws IOException;
    }

    /**
     * Of each row of a Parquet file a sample; a file or row group that cannot be read fails alone.
     *
     * @return how many rows it says it has
     */
    int parquet(Path path, ParquetMaker maker) {
        int position = 0;
        try {
            ParquetFile file = ParquetFile.open(path);
            for (int group = 0; group < file.groups(); group++) {
                parquetGroup(file, group, position, maker);
                position += file.rowCount(group);
            }
            requireRows(path, position);
        } catch (IOException failure) {
            problem(failure);
        }
        return position;
    }

    private void parquetGroup(ParquetFile file, int group, int before, ParquetMaker maker) {
        try {
            for (ParquetFile.Row row : file.rows(group)) {
                int at = before + row.index();
                add(file.path(), at, () -> maker.make(file, row, at));
            }
        } catch (IOException failure) {
            problem(failure);
        }
    }

    /** The lines of a file; bytes that are no UTF-8 spoil only their line. */
    static List<String> lines(Path file) throws IOException {
        return text(file).lines().filter(line -> !line.isBlank()).toList();
    }

    /** A file's text, without the mark that some editors put before it. */
    static String text(Path file) throws IOException {
        String text = new String(Files.readAllBytes(requireFile(file)), StandardCharsets.UTF_8);
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
    }

    /** A line's object. */
    static ObjectNode object(String line) throws IOException {
        try {
            if (JSON.readTree(line) instanceof ObjectNode object) {
                return object;
            }
        } catch (JsonProcessingException failure) {
            throw new BadRow("is no JSON: " + failure.getOriginalMessage());
        }
        throw new BadRow("is no JSON object");
    }

    /** A JSON file that scores need. */
    static JsonNode json(Path file) throws IOException {
        try {
            JsonNode json = JSON.readTree(text(file));
            if (json.isMissingNode()) {
                throw new IOException(file + " is empty, expected JSON");
            }
            return json;
        } catch (JsonProcessingException failure) {
            throw new IOException(file + " is no JSON: " + failure.getOriginalMessage(), failure);
        }
    }

    /** What makes one sample. */
    interface Source {
        Sample get() throws IOException;
    }

    /**
     * A sample, or a problem in its place.
     *
     * @param row from 0
     */
    void add(Path file, int row, Source source) {
        try {
            Sample sample = source.get();
            if (!ids.add(sample.id())) {
                throw new BadRow("id " + sample.id() + " stands in an earlier row too, expected each once");
            }
            samples.add(sample);
        } catch (IOException | RuntimeException failure) {
            problems.add(file + ", row " + (row + 1) + ": " + failure.getMessage());
        }
    }

    /** A file, or a whole part of the data, that fails alone. */
    void problem(IOException failure) {
        problems.add(String.valueOf(failure.getMessage()));
    }

    Samples done() {
        return new Samples(samples, problems);
    }
}
