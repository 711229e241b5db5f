package io.github.internvl4j.bench.peers;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes a GGUF file, version 3: metadata, then the tensors' table, then their values, each aligned. */
final class GgufWriter {
    /** Makes a tensor's next values; every call fills the whole array. */
    interface Values {
        void next(float[] values);
    }

    private record Tensor(String name, long[] size, GgufType type, Values values) {
        long count() {
            long count = 1;
            for (long extent : size) {
                count *= extent;
            }
            return count;
        }
    }

    private static final int MAGIC = 0x46554747; // "GGUF"
    private static final int VERSION = 3;
    private static final int ALIGNMENT = 32;

    private static final int UINT32 = 4;
    private static final int INT32 = 5;
    private static final int FLOAT32 = 6;
    private static final int BOOL = 7;
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    private final Map<String, Object> metadata = new LinkedHashMap<>();
    private final List<Tensor> tensors = new ArrayList<>();

    /**
     * @param value a String, Integer (unsigned in the file), Float, Boolean, int[], float[] or a list of String
     */
    GgufWriter metadata(String key, Object value) {
        metadata.put(key, value);
        return this;
    }

    /**
     * @param size the innermost extent first, as GGML counts; it must be whole blocks of the type
     */
    GgufWriter tensor(String name, GgufType type, Values values, long... size) {
        if (size[0] % type.blockValues() != 0) {
            throw new IllegalArgumentException("rows of tensor %s have %d values, expected a multiple of %d for %s"
                    .formatted(name, size[0], type.blockValues(), type));
        }
        tensors.add(new Tensor(name, size, type, values));
        return this;
    }

    /** Writes to a file beside it first, so that the file is there whole or not at all. */
    void write(Path file) throws IOException {
        Path unfinished = file.resolveSibling(file.getFileName() + ".part");
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(unfinished), 1 << 20)) {
            new Output(out).all();
        }
        Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING);
    }

    private final class Output {
        private final OutputStream out;
        private final ByteBuffer number = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        private long written;

        Output(OutputStream out) {
            this.out = out;
        }

        void all() throws IOException {
            u32(MAGIC);
            u32(VERSION);
            u64(tensors.size());
            u64(metadata.size());
            for (Map.Entry<String, Object> entry : metadata.entrySet()) {
                string(entry.getKey());
                value(entry.getValue());
            }
            table();
            for (Tensor tensor : tensors) {
                align();
                values(tensor);
            }
            align();
        }

        private void table() throws IOException {
            long offset = 0; // from the first tensor's beginning
            for (Tensor tensor : tensors) {
                string(tensor.name());
                u32(tensor.size().length);
                for (long extent : tensor.size()) {
                    u64(extent);
                }
                u32(tensor.type().id());
                u64(offset);
                offset += aligned(tensor.type().bytes(tensor.count()));
            }
        }

        private void values(Tensor tensor) throws IOException {
            float[] values = new float[Math.toIntExact(tensor.size()[0])];
            byte[] row = new byte[Math.toIntExact(tensor.type().bytes(values.length))];
            ByteBuffer target = ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN);
            for (long i = tensor.count() / values.length; i > 0; i--) {
                tensor.values().next(values);
                tensor.type().encode(values, target.clear());
                bytes(row);
            }
        }

        private void value(Object value) throws IOException {
            if (value instanceof String text) {
                u32(STRING);
                string(text);
            } else if (value instanceof Integer integer) {
                u32(UINT32);
                u32(integer);
            } else if (value instanceof Float real) {
                u32(FLOAT32);
                u32(Float.floatToIntBits(real));
            } else if (value instanceof Boolean flag) {
                u32(BOOL);
                bytes(new byte[] {(byte) (flag ? 1 : 0)});
            } else {
                u32(ARRAY);
                array(value);
            }
        }

        private void array(Object value) throws IOException {
            if (value instanceof int[] integers) {
                u32(INT32);
                u64(integers.length);
                for (int element : integers) {
                    u32(element);
                }
            } else if (value instanceof float[] reals) {
                u32(FLOAT32);
                u64(reals.length);
                for (float element : reals) {
                    u32(Float.floatToIntBits(element));
                }
            } else if (value instanceof List<?> texts) {
                u32(STRING);
                u64(texts.size());
                for (Object element : texts) {
                    string((String) element);
                }
            } else {
                throw new IllegalArgumentException("metadata of " + value.getClass());
            }
        }

        private void string(String text) throws IOException {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            u64(utf8.length);
            bytes(utf8);
        }

        private void u32(int value) throws IOException {
            out.write(number.clear().putInt(value).array(), 0, 4);
            written += 4;
        }

        private void u64(long value) throws IOException {
            out.write(number.clear().putLong(value).array(), 0, 8);
            written += 8;
        }

        private void bytes(byte[] value) throws IOException {
            out.write(value);
            written += value.length;
        }

        private void align() throws IOException {
            bytes(new byte[(int) (aligned(written) - written)]);
        }
    }

    private static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
}
