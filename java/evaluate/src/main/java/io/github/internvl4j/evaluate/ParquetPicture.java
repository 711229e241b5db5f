package io.github.internvl4j.evaluate;

import java.io.IOException;
import java.lang.ref.SoftReference;
import org.jspecify.annotations.Nullable;

/** A picture in a Parquet file. Neighbours are read together, and the last ones stay at hand while there is memory. */
final class ParquetPicture implements Picture {
    private static @Nullable Block last;

    private final ParquetFile file;
    private final int group;
    private final int index;
    private final String column;

    ParquetPicture(ParquetFile file, ParquetFile.Row row, String column) {
        this.file = file;
        group = row.group();
        index = row.index();
        this.column = column;
    }

    /** A row group's pictures. */
    private record Block(ParquetFile file, int group, String column, SoftReference<byte[][]> pictures) {}

    @Override
    public String name() {
        return file.path() + ", row group " + group + ", row " + (index + 1) + ", column " + column;
    }

    @Override
    public byte[] read() throws IOException {
        byte[] picture = pictures(this)[index];
        if (picture == null) {
            throw new IOException("there is no picture in " + name());
        }
        return picture;
    }

    private static synchronized byte[][] pictures(ParquetPicture one) throws IOException {
        Block block = last;
        if (block != null && block.file == one.file && block.group == one.group && block.column.equals(one.column)) {
            byte[][] kept = block.pictures.get();
            if (kept != null) {
                return kept;
            }
        }
        byte[][] pictures = one.file.pictures(one.group, one.column);
        last = new Block(one.file, one.group, one.column, new SoftReference<>(pictures));
        return pictures;
    }
}
