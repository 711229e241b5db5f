package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.Util;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.MessageColumnIO;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.jspecify.annotations.Nullable;

/** A Parquet file: its rows without the pictures, and a picture by its place. */
final class ParquetFile {
    private static final byte[] MAGIC = "PAR1".getBytes(StandardCharsets.US_ASCII);
    /** Behind the file's description: its length, and the mark. */
    private static final int TAIL = 8;

    private final Path file;
    private final FileMetaData description;
    private final MessageType schema;
    private final List<String> withBytes; // columns

    private ParquetFile(Path file, FileMetaData description) {
        this.file = file;
        this.description = description;
        schema = ParquetSchema.of(description.getSchema());
        withBytes = schema.getFields().stream()
                .filter(column -> !ParquetSchema.isText(column))
                .map(Type::getName)
                .toList();
    }

    /** @throws IOException if it is no Parquet file, or not whole */
    static ParquetFile open(Path file) throws IOException {
        try (RandomAccessFile bytes =
                new RandomAccessFile(Rows.requireFile(file).toFile(), "r")) {
            return new ParquetFile(file, describe(file, bytes));
        } catch (ParquetException | MissingDataException failure) {
            throw failure;
        } catch (IOException | RuntimeException | OutOfMemoryError failure) {
            throw ParquetException.damaged(file, "", failure);
        }
    }

    private static FileMetaData describe(Path file, RandomAccessFile bytes) throws IOException {
        byte[] tail = new byte[TAIL];
        if (bytes.length() >= TAIL + MAGIC.length) {
            bytes.seek(bytes.length() - TAIL);
            bytes.readFully(tail);
        }
        int length = Integer.reverseBytes(ByteBuffer.wrap(tail).getInt());
        boolean marked = new String(tail, TAIL - MAGIC.length, MAGIC.length, StandardCharsets.US_ASCII).equals("PAR1");
        if (!marked || length <= 0 || length > bytes.length() - TAIL) {
            throw new ParquetException(
                    file,
                    "is no whole Parquet file: expected PAR1 at its end; download it again, " + bytes.length()
                            + " bytes are here");
        }
        byte[] description = new byte[length];
        bytes.seek(bytes.length() - TAIL - length);
        bytes.readFully(description);
        return checked(file, Util.readFileMetaData(new ByteArrayInputStream(description)));
    }

    private static FileMetaData checked(Path file, FileMetaData description) throws ParquetException {
        long rows = 0;
        for (RowGroup group : description.getRow_groups()) {
            rows += group.getNum_rows();
            if (group.getNum_rows() < 0 || rows < 0 || rows > Integer.MAX_VALUE) {
                throw new ParquetException(file, "is damaged: it says it has " + rows + " rows; download it again");
            }
        }
        return description;
    }

    /** How many row groups it has. */
    int groups() {
        return description.getRow_groups().size();
    }

    /** How many rows a group has. */
    int rowCount(int group) {
        return (int) description.getRow_groups().get(group).getNum_rows();
    }

    /** A group's rows, without their pictures. */
    List<Row> rows(int group) throws IOException {
        List<Row> rows = new ArrayList<>();
        read(group, ParquetSchema.withoutBytes(schema), record -> rows.add(row(group, rows.size(), record)));
        return rows;
    }

    /** Of a picture's struct the path is read, as the hub stores it, and that only tells whether there is one. */
    private Row row(int group, int index, Group record) {
        ObjectNode fields = ParquetSchema.json(record);
        Set<String> pictures = new HashSet<>();
        for (String column : withBytes) {
            JsonNode value = fields.remove(column);
            if (value != null && !value.isNull()) {
                pictures.add(column);
            }
        }
        return new Row(group, index, fields, pictures);
    }

    /**
     * A row.
     *
     * @param fields without those that hold bytes
     * @param pictures the columns in which it has a picture
     */
    record Row(int group, int index, ObjectNode fields, Set<String> pictures) {}

    /** A picture in a column of structs with {@code bytes}, as the hub stores them; null where there is none. */
    byte[][] pictures(int group, String column) throws IOException {
        List<byte @Nullable []> pictures = new ArrayList<>();
        List<Type> columns = schema.getFields().stream()
                .filter(type -> type.getName().equals(column))
                .toList();
        read(group, columns, record -> pictures.add(ParquetSchema.bytes(record, column)));
        return pictures.toArray(new byte[0][]);
    }

    /** @param use is called within, since a damaged record may fail only there */
    private void read(int group, List<Type> columns, Consumer<Group> use) throws IOException {
        MessageType wanted = new MessageType(schema.getName(), columns);
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "r")) {
            RowGroup rows = description.getRow_groups().get(group);
            PageReadStore pages = ParquetPages.read(bytes, rows, wanted);
            MessageColumnIO columnIo = new ColumnIOFactory(description.getCreated_by()).getColumnIO(wanted, schema);
            RecordReader<Group> reader = columnIo.getRecordReader(pages, new GroupRecordConverter(wanted));
            for (long i = 0; i < rows.getNum_rows(); i++) {
                use.accept(reader.read());
            }
        } catch (ParquetPages.UnsupportedCodec failure) {
            throw new ParquetException(file, String.valueOf(failure.getMessage()), failure);
        } catch (IOException | RuntimeException | OutOfMemoryError failure) {
            throw ParquetException.damaged(file, ", row group " + group, failure);
        }
    }

    Path path() {
        return file;
    }
}
