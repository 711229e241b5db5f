package io.github.internvl4j.evaluate;

import io.airlift.compress.Decompressor;
import io.airlift.compress.lz4.Lz4Decompressor;
import io.airlift.compress.snappy.SnappyDecompressor;
import io.airlift.compress.zstd.ZstdDecompressor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.zip.GZIPInputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.page.DataPage;
import org.apache.parquet.column.page.DataPageV1;
import org.apache.parquet.column.page.DataPageV2;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.CompressionCodec;
import org.apache.parquet.format.DataPageHeader;
import org.apache.parquet.format.DataPageHeaderV2;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.Util;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.jspecify.annotations.Nullable;

/** The pages of one row group, as parquet-java's column reader takes them. */
final class ParquetPages implements PageReadStore {
    private final Map<String, PageReader> columns = new HashMap<>();
    private final long rows;

    private ParquetPages(long rows) {
        this.rows = rows;
    }

    /** @param wanted the columns that are read */
    static ParquetPages read(RandomAccessFile file, RowGroup group, MessageType wanted) throws IOException {
        ParquetPages pages = new ParquetPages(group.getNum_rows());
        for (ColumnChunk chunk : group.getColumns()) {
            ColumnMetaData column = chunk.getMeta_data();
            String[] path = column.getPath_in_schema().toArray(new String[0]);
            if (wanted.containsPath(path)) {
                PrimitiveType type = wanted.getType(path).asPrimitiveType();
                pages.columns.put(String.join(".", path), new Chunk(file, column, type));
            }
        }
        return pages;
    }

    @Override
    public PageReader getPageReader(ColumnDescriptor column) {
        PageReader reader = columns.get(String.join(".", column.getPath()));
        if (reader == null) {
            throw new IllegalArgumentException("the file has no column " + column);
        }
        return reader;
    }

    @Override
    public long getRowCount() {
        return rows;
    }

    /** A compression that is not read here. */
    static final class UnsupportedCodec extends IOException {
        private static final long serialVersionUID = 1;

        UnsupportedCodec(CompressionCodec codec) {
            super("is compressed with " + codec
                    + ", expected SNAPPY, GZIP, ZSTD, LZ4_RAW or UNCOMPRESSED; write it again with one of them, with pyarrow:"
                    + " pq.write_table(pq.read_table(OLD), NEW, compression='zstd')");
        }
    }

    /** A column's pages, decompressed. */
    private static final class Chunk implements PageReader {
        private final CompressionCodec codec;
        private final Statistics<?> none;
        private final Queue<DataPage> pages = new ArrayDeque<>();
        private final long values;
        private final long largestPage;
        private @Nullable DictionaryPage dictionary;

        Chunk(RandomAccessFile file, ColumnMetaData column, PrimitiveType type) throws IOException {
            codec = column.getCodec();
            values = column.getNum_values();
            largestPage = column.getTotal_uncompressed_size();
            none = Statistics.getBuilderForReading(type).build();
            long start = column.getData_page_offset();
            if (column.isSetDictionary_page_offset() && column.getDictionary_page_offset() > 0) {
                start = Math.min(start, column.getDictionary_page_offset());
            }
            long length = column.getTotal_compressed_size();
            if (start < 0 || length < 0 || start + length > file.length()) {
                throw new IOException("column " + column.getPath_in_schema() + " ends at byte " + (start + length)
                        + " of a file of " + file.length());
            }
            byte[] bytes = new byte[Math.toIntExact(length)];
            file.seek(start);
            file.readFully(bytes);
            read(new ByteArrayInputStream(bytes));
        }

        private void read(ByteArrayInputStream bytes) throws IOException {
            for (long read = 0; read < values; ) {
                PageHeader header = Util.readPageHeader(bytes);
                byte[] page = bytes.readNBytes(header.getCompressed_page_size());
                switch (header.getType()) {
                    case DICTIONARY_PAGE ->
                        dictionary = new DictionaryPage(
                                BytesInput.from(decompressed(page, header.getUncompressed_page_size())),
                                header.getDictionary_page_header().getNum_values(),
                                encoding(header.getDictionary_page_header().getEncoding()));
                    case DATA_PAGE -> {
                        read += add(first(header, page));
                    }
                    case DATA_PAGE_V2 -> {
                        read += add(second(header, page));
                    }
                    default -> {}
                }
            }
        }

        /** Arrow leaves pages without a value, which parquet-java would read one from. */
        private int add(DataPage page) {
            if (page.getValueCount() > 0) {
                pages.add(page);
            }
            return page.getValueCount();
        }

        private DataPage first(PageHeader header, byte[] page) throws IOException {
            DataPageHeader data = header.getData_page_header();
            int size = header.getUncompressed_page_size();
            return new DataPageV1(
                    BytesInput.from(decompressed(page, size)),
                    data.getNum_values(),
                    size,
                    none,
                    encoding(data.getRepetition_level_encoding()),
                    encoding(data.getDefinition_level_encoding()),
                    encoding(data.getEncoding()));
        }

        /** Its levels are never compressed. */
        private DataPage second(PageHeader header, byte[] page) throws IOException {
            DataPageHeaderV2 data = header.getData_page_header_v2();
            int repetitions = data.getRepetition_levels_byte_length();
            int definitions = data.getDefinition_levels_byte_length();
            int levels = repetitions + definitions;
            int size = header.getUncompressed_page_size() - levels;
            byte[] rest = Arrays.copyOfRange(page, levels, page.length);
            byte[] content = data.isIs_compressed() ? decompressed(rest, size) : rest;
            return DataPageV2.uncompressed(
                    data.getNum_rows(),
                    data.getNum_nulls(),
                    data.getNum_values(),
                    BytesInput.from(page, 0, repetitions),
                    BytesInput.from(page, repetitions, definitions),
                    encoding(data.getEncoding()),
                    BytesInput.from(content),
                    none);
        }

        private byte[] decompressed(byte[] page, int size) throws IOException {
            if (size < 0 || size > largestPage) {
                throw new IOException("a page says it has " + size + " bytes, expected at most " + largestPage);
            }
            if (codec == CompressionCodec.UNCOMPRESSED) {
                return page;
            }
            if (size == 0) {
                return new byte[0]; // only nulls: some writers leave nothing to decompress
            }
            if (codec == CompressionCodec.GZIP) {
                return new GZIPInputStream(new ByteArrayInputStream(page)).readNBytes(size);
            }
            byte[] result = new byte[size];
            decompressor().decompress(page, 0, page.length, result, 0, size);
            return result;
        }

        private Decompressor decompressor() throws UnsupportedCodec {
            return Optional.<Decompressor>ofNullable(
                            switch (codec) {
                                case SNAPPY -> new SnappyDecompressor();
                                case ZSTD -> new ZstdDecompressor();
                                case LZ4_RAW -> new Lz4Decompressor();
                                default -> null;
                            })
                    .orElseThrow(() -> new UnsupportedCodec(codec));
        }

        private static Encoding encoding(org.apache.parquet.format.Encoding encoding) {
            return Encoding.valueOf(encoding.name());
        }

        @Override
        public @Nullable DictionaryPage readDictionaryPage() {
            return dictionary;
        }

        @Override
        public long getTotalValueCount() {
            return values;
        }

        @Override
        public @Nullable DataPage readPage() {
            return pages.poll();
        }
    }
}
