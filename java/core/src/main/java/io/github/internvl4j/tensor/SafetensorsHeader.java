package io.github.internvl4j.tensor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InvalidOptionException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The header of a safetensors file: {@code {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}}
 * with an optional string-to-string {@code __metadata__}.
 *
 * <p>Checked as the reference implementation checks: no name twice, known types, offsets that match type and shape, and
 * tensors that cover the data without overlap, hole or rest.
 */
final class SafetensorsHeader {
    /** The most bytes a header may have, as in the reference implementation. */
    static final long MAX_BYTES = 100_000_000;

    /** One tensor: its type, its shape, and its bytes [begin, end) from the start of the data. */
    record Entry(String name, DType type, long[] shape, long begin, long end) {}

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private final Path file;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private SafetensorsHeader(Path file) {
        this.file = file;
    }

    /**
     * Reads and checks a header.
     *
     * @param file the file, for messages
     * @param json the header's bytes
     * @param dataBytes how many bytes follow the header
     * @return the tensors by name, in the header's order
     * @throws CheckpointException if anything is wrong
     */
    static Map<String, Entry> parse(Path file, byte[] json, long dataBytes) {
        SafetensorsHeader header = new SafetensorsHeader(file);
        try (JsonParser parser = JSON.createParser(json)) {
            header.read(parser);
        } catch (IOException e) {
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new CheckpointException(file + ": the safetensors header is malformed: " + reason, e);
        }
        header.checkLayout(dataBytes);
        return header.entries;
    }

    private void read(JsonParser parser) throws IOException {
        expect(parser.nextToken(), JsonToken.START_OBJECT, "header");
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            expect(parser.nextToken(), JsonToken.START_OBJECT, name);
            if (name.equals("__metadata__")) {
                parser.skipChildren();
            } else {
                entries.put(name, readEntry(parser, name));
            }
        }
        if (parser.nextToken() != null) {
            throw malformed("header", "something follows the closing brace");
        }
    }

    private Entry readEntry(JsonParser parser, String name) throws IOException {
        String type = null;
        long[] shape = null;
        long[] offsets = null;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String field = parser.currentName();
            JsonToken token = parser.nextToken();
            switch (field) {
                case "dtype" -> {
                    expect(token, JsonToken.VALUE_STRING, name);
                    type = parser.getText();
                }
                case "shape" -> shape = readLongs(parser, token, name, field);
                case "data_offsets" -> offsets = readLongs(parser, token, name, field);
                default -> throw malformed(name, "unknown field \"" + field + "\"");
            }
        }
        return checkedEntry(name, type, shape, offsets);
    }

    private Entry checkedEntry(
            String name, @Nullable String typeName, long @Nullable [] shape, long @Nullable [] offsets) {
        if (typeName == null || shape == null || offsets == null) {
            throw malformed(name, "dtype, shape and data_offsets are required");
        }
        DType type = DType.named(typeName);
        if (type == null) {
            throw malformed(name, "dtype " + typeName + " is not one of " + Arrays.toString(DType.values()));
        }
        if (offsets.length != 2 || offsets[0] > offsets[1]) {
            throw malformed(name, "data_offsets " + Arrays.toString(offsets) + " are not [begin, end]");
        }
        long bytes;
        try {
            bytes = Math.multiplyExact(Shape.elements(shape), type.bytes);
        } catch (InvalidOptionException | ArithmeticException e) {
            throw new CheckpointException(
                    file + ": tensor " + name + ": shape " + Arrays.toString(shape) + " overflows", e);
        }
        if (bytes != offsets[1] - offsets[0]) {
            throw malformed(
                    name,
                    "shape " + Arrays.toString(shape) + " in " + type + " has " + bytes + " bytes, data_offsets span "
                            + (offsets[1] - offsets[0]));
        }
        return new Entry(name, type, shape, offsets[0], offsets[1]);
    }

    private long[] readLongs(JsonParser parser, JsonToken first, String name, String field) throws IOException {
        expect(first, JsonToken.START_ARRAY, name);
        long[] values = new long[4];
        int count = 0;
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            if (token != JsonToken.VALUE_NUMBER_INT
                    || parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                    || parser.getLongValue() < 0) {
                throw malformed(name, field + " holds something other than integers from 0 to 2^63 - 1");
            }
            if (count == values.length) {
                values = Arrays.copyOf(values, 2 * count);
            }
            values[count++] = parser.getLongValue();
        }
        return Arrays.copyOf(values, count);
    }

    /** Every byte of the data belongs to exactly one tensor. */
    private void checkLayout(long dataBytes) {
        List<Entry> byOffset = new ArrayList<>(entries.values());
        byOffset.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long end = 0;
        for (Entry entry : byOffset) {
            if (entry.end() > dataBytes) {
                throw malformed(
                        entry.name(),
                        "data_offsets " + offsets(entry) + " reach past the file's " + dataBytes + " bytes of data");
            }
            if (entry.begin() < end) {
                throw malformed(entry.name(), "data_offsets " + offsets(entry) + " overlap another tensor's");
            }
            if (entry.begin() > end) {
                throw malformed(entry.name(), "data_offsets " + offsets(entry) + " leave a hole after byte " + end);
            }
            end = entry.end();
        }
        if (end != dataBytes) {
            throw new CheckpointException(file + ": the tensors end at byte " + end + " of the data, the file has "
                    + dataBytes + " bytes there");
        }
    }

    private static String offsets(Entry entry) {
        return "[" + entry.begin() + ", " + entry.end() + "]";
    }

    private void expect(@Nullable JsonToken token, JsonToken wanted, String name) {
        if (token != wanted) {
            throw malformed(name, "expected " + wanted + " in the header, found " + token);
        }
    }

    private CheckpointException malformed(String name, String reason) {
        return new CheckpointException(file + ": tensor " + name + ": " + reason);
    }
}
