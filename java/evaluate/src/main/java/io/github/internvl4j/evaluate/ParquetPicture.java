package io.github.internvl4j.evaluate;

import java.io.IOException;
import java.lang.ref.SoftReference;
import java.util.LinkedHashMap;
import java.util.Map;

/** A picture in a Parquet file. Neighbours in a column are read together, and the last ones stay at hand while there is memory. */
final class ParquetPicture implements Picture {
    /** A sample's pictures may lie in several columns. */
    private static final int KEPT = 8;

    private static final Map<Column, SoftReference<byte[][]>> LAST = new LinkedHashMap<>();

    private final Column column;
    private final int index;

    ParquetPicture(ParquetFile file, ParquetFile.Row row, String column) {
        this.column = new Column(file, row.group(), column);
        index = row.index();
    }

    /** One of a row group. */
    private record Column(ParquetFile file, int group, String name) {}

    @Override
    public String name() {
        return column.file.path() + ", row group " + column.group + ", row " + (index + 1) + ", column " + column.name;
    }

    @Override
    public byte[] read() throws IOException {
        byte[] picture = pictures(column)[index];
        if (picture == null) {
            throw new IOException("there is no picture in " + name());
        }
        return picture;
    }

    private static synchronized byte[][] pictures(Column column) throws IOException {
        SoftReference<byte[][]> last = LAST.remove(column);
        byte[][] pictures = last == null ? null : last.get();
        if (pictures == null) {
            pictures = column.file.pictures(column.group, column.name);
        }
        LAST.put(column, new SoftReference<>(pictures)); // as the latest
        if (LAST.size() > KEPT) {
            LAST.remove(LAST.keySet().iterator().next());
        }
        return pictures;
    }
}
