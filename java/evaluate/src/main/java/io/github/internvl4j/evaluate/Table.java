package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import java.io.IOException;
import java.io.StringReader;
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
        List<String> header = List.of();
        List<ObjectNode> rows = new ArrayList<>();
        try (CsvReader<CsvRecord> reader = CsvReader.builder()
                .fieldSeparator(separator)
                .maxBufferSize(LONGEST_CELL)
                .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
                .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
                .ofCsvRecord(new StringReader(Rows.text(file)))) {
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

    /** Cells that a short row lacks are missing; of one with too many nobody knows which is which, so all are. */
    private static ObjectNode row(List<String> header, List<String> cells) {
        ObjectNode row = Rows.JSON.createObjectNode();
        for (int i = 0; i < cells.size() && cells.size() <= header.size(); i++) {
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
