package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A file of comma or tab separated values with a header, quotes as in CSV. */
final class Table {
    /** A cell holds a whole picture. */
    private static final int LONGEST_CELL = 1 << 28;

    private final List<String> header;
    private final List<ObjectNode> rows;

    private Table(List<String> header, List<ObjectNode> rows) {
        this.header = header;
        this.rows = rows;
    }

    static Table read(Path file, char separator) throws IOException {
        String text = new String(Files.readAllBytes(Rows.requireFile(file)), StandardCharsets.UTF_8);
        String unmarked = text.startsWith("\uFEFF") ? text.substring(1) : text;
        List<String> header = List.of();
        List<ObjectNode> rows = new ArrayList<>();
        try (CsvReader<CsvRecord> reader = CsvReader.builder()
                .fieldSeparator(separator)
                .maxBufferSize(LONGEST_CELL)
                .ofCsvRecord(new StringReader(unmarked))) {
            for (CsvRecord record : reader) {
                if (header.isEmpty()) {
                    header = List.copyOf(record.getFields());
                } else {
                    rows.add(row(header, record.getFields()));
                }
            }
        } catch (RuntimeException failure) {
            throw new IOException(file + ", row " + (rows.size() + 1) + ": " + failure.getMessage(), failure);
        }
        return new Table(header, rows);
    }

    /** Cells that a short row lacks are missing. */
    private static ObjectNode row(List<String> header, List<String> cells) {
        ObjectNode row = Rows.JSON.createObjectNode();
        for (int i = 0; i < Math.min(header.size(), cells.size()); i++) {
            row.put(header.get(i), cells.get(i));
        }
        return row;
    }

    List<String> header() {
        return header;
    }

    List<ObjectNode> rows() {
        return rows;
    }
}
