package io.github.internvl4j.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InvalidOptionException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsTest {
    @TempDir
    Path folder;

    @Test
    void whatIsWrittenIsReadBack() throws IOException {
        Random random = new Random(1);
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("zeta \"quoted\" \u00e4", randomTensor(random, 3, 5));
        tensors.put("alpha", randomTensor(random, 600_001));
        tensors.put("one", Tensor.of(new float[] {Float.MIN_VALUE}));
        tensors.put("none", Tensor.allocate(0, 4));
        Path file = folder.resolve("x.safetensors");
        Safetensors.write(file, tensors);

        Map<String, Tensor> read = Safetensors.read(file);
        assertEquals(List.copyOf(tensors.keySet()), List.copyOf(read.keySet()));
        tensors.forEach((name, tensor) -> {
            assertArrayEquals(tensor.shape(), read.get(name).shape());
            assertArrayEquals(tensor.toArray(), read.get(name).toArray());
        });
        try (RandomAccessFile raw = new RandomAccessFile(file.toFile(), "r")) {
            assertEquals(0, Long.reverseBytes(raw.readLong()) % 8);
        }
    }

    @Test
    void replacesAFileWholeAndLeavesNothingBehind() throws IOException {
        Path file = folder.resolve("x.safetensors");
        Safetensors.write(file, Map.of("a", Tensor.allocate(2)));
        Safetensors.write(file, Map.of("b", Tensor.allocate(3)));
        assertEquals(Map.of("b", 3L).keySet(), Safetensors.read(file).keySet());
        assertThrows(
                InvalidOptionException.class,
                () -> Safetensors.write(file, Map.of("__metadata__", Tensor.allocate(1))));
        assertThrows(
                CheckpointException.class,
                () -> Safetensors.write(folder.resolve("no/such/folder"), Map.of("a", Tensor.allocate(1))));
        assertThrows(CheckpointException.class, () -> Safetensors.write(folder, Map.of()));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    @Test
    void convertsEveryTypeToF32() throws IOException {
        ByteBuffer data = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
        StringBuilder header = new StringBuilder("{\"__metadata__\":{\"k\":\"v\"}");
        add(header, data, "BOOL", 1, 0).put((byte) 0).put((byte) 1);
        add(header, data, "U8", 1, 2).put((byte) 255).put((byte) 1);
        add(header, data, "I8", 1, 4).put((byte) 255).put((byte) 1);
        add(header, data, "U16", 2, 6).putShort((short) -1).putShort((short) 1);
        add(header, data, "I16", 2, 10).putShort((short) -1).putShort((short) 1);
        add(header, data, "F16", 2, 14).putShort((short) 0x3c00).putShort((short) 0xfbff);
        add(header, data, "BF16", 2, 18).putShort((short) 0x3f80).putShort((short) 0xc000);
        add(header, data, "U32", 4, 22).putInt(-1).putInt(1);
        add(header, data, "I32", 4, 30).putInt(-1).putInt(1);
        add(header, data, "F32", 4, 38).putFloat(1.5f).putFloat(Float.NaN);
        add(header, data, "U64", 8, 46).putLong(-1).putLong(0x8000008000000001L);
        add(header, data, "I64", 8, 62).putLong(-1).putLong(16777217);
        add(header, data, "F64", 8, 78).putDouble(0.1).putDouble(1e300);
        Path file = write(header + "}", Arrays.copyOf(data.array(), data.position()));

        Map<String, float[]> wanted = Map.ofEntries(
                Map.entry("BOOL", new float[] {0, 1}),
                Map.entry("U8", new float[] {255, 1}),
                Map.entry("I8", new float[] {-1, 1}),
                Map.entry("U16", new float[] {65535, 1}),
                Map.entry("I16", new float[] {-1, 1}),
                Map.entry("F16", new float[] {1, -65504}),
                Map.entry("BF16", new float[] {1, -2}),
                Map.entry("U32", new float[] {4294967295f, 1}),
                Map.entry("I32", new float[] {-1, 1}),
                Map.entry("F32", new float[] {1.5f, Float.NaN}),
                Map.entry("U64", new float[] {18446744073709551615f, 9223372586610589697f}),
                Map.entry("I64", new float[] {-1, 16777216}),
                Map.entry("F64", new float[] {0.1f, Float.POSITIVE_INFINITY}));
        try (SafetensorsFile open = SafetensorsFile.open(file)) {
            assertEquals(wanted.keySet(), open.names());
            wanted.forEach((name, values) -> {
                assertArrayEquals(values, open.tensor(name).toArray(), name);
                assertEquals(name, open.dtype(name));
                assertArrayEquals(new long[] {2}, open.shape(name));
            });
        }
    }

    @Test
    void halvesConvertExactly() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            int exponent = bits >> 10 & 31;
            int fraction = bits & 1023;
            double magnitude = exponent == 31
                    ? fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN
                    : exponent == 0 ? fraction * 0x1p-24 : (1024 + fraction) * Math.pow(2, exponent - 25);
            assertEquals((float) (bits >> 15 == 0 ? magnitude : -magnitude), DType.halfToFloat((short) bits));
        }
    }

    @Test
    void readsTensorsBeyondTwoGigabytes() throws IOException {
        Path file = folder.resolve("large.safetensors");
        long far = 3L << 30;
        String header = "{\"far\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" + far + "," + (far + 8)
                + "]},\"big\":{\"dtype\":\"U8\",\"shape\":[" + far + "],\"data_offsets\":[0," + far + "]}}";
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.writeLong(Long.reverseBytes(header.length()));
            sparse.write(header.getBytes(StandardCharsets.UTF_8));
            sparse.seek(8 + header.length() + far);
            sparse.writeInt(Integer.reverseBytes(Float.floatToIntBits(1.5f)));
            sparse.writeInt(Integer.reverseBytes(Float.floatToIntBits(-2f)));
        }
        try (SafetensorsFile open = SafetensorsFile.open(file)) {
            assertArrayEquals(new float[] {1.5f, -2f}, open.tensor("far").toArray());
            CheckpointException e = assertThrows(CheckpointException.class, () -> open.tensor("big"));
            assertTrue(String.valueOf(e.getMessage()).contains("big"), e.getMessage());
        }
    }

    static Stream<Arguments> hostileHeaders() {
        return Stream.of(
                Arguments.of("[]", "START_OBJECT"),
                Arguments.of("{\"a\":3}", "a"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}", "malformed"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} x", "malformed"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} {}", "follows"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "required"),
                Arguments.of("{\"a\":{\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]}}", "F33"),
                Arguments.of("{\"a\":{\"dtype\":7,\"shape\":[2],\"data_offsets\":[0,8]}}", "VALUE_STRING"),
                Arguments.of("{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,8]}}", "4 bytes"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "shape"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", "shape"),
                Arguments.of(
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}}", "a"),
                Arguments.of(
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}",
                        "overflow"),
                Arguments.of(
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387905],\"data_offsets\":[0,4]}}",
                        "overflow"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", "[begin, end]"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,16]}}", "[begin, end]"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}", "past"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "hole"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "end at byte 4"),
                Arguments.of(
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                                + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
                        "overlap"),
                Arguments.of(
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                                + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
                        "Duplicate"),
                Arguments.of(
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", "unknown field"),
                Arguments.of("{\"a\":{\"dtype\":\"F32\",\"shape\":[2", "malformed"));
    }

    @ParameterizedTest
    @MethodSource("hostileHeaders")
    void hostileHeadersAreNamed(String header, String reason) throws IOException {
        Path file = write(header, new byte[8]);
        CheckpointException e = assertThrows(CheckpointException.class, () -> SafetensorsFile.open(file));
        String message = String.valueOf(e.getMessage());
        assertTrue(message.contains(file.toString()) && message.contains(reason), message);
        Files.delete(file); // Windows would refuse if it were still open
    }

    @Test
    void shortAndLyingFilesAreNamed() throws IOException {
        Path file = folder.resolve("x.safetensors");
        for (byte[] bytes : List.of(
                new byte[0],
                new byte[7],
                ByteBuffer.allocate(8).putLong(Long.reverseBytes(1)).array(),
                ByteBuffer.allocate(16).putLong(Long.reverseBytes(9)).array(),
                ByteBuffer.allocate(16).putLong(-1).array(),
                ByteBuffer.allocate(16)
                        .putLong(Long.reverseBytes(Long.MAX_VALUE))
                        .array())) {
            Files.write(file, bytes);
            CheckpointException e = assertThrows(CheckpointException.class, () -> SafetensorsFile.open(file));
            assertTrue(String.valueOf(e.getMessage()).contains(file.toString()), e.getMessage());
        }
        assertThrows(CheckpointException.class, () -> SafetensorsFile.open(folder));
        assertThrows(CheckpointException.class, () -> SafetensorsFile.open(folder.resolve("absent")));
    }

    @Test
    void readingAfterClosingSaysSo() {
        Path file = folder.resolve("x.safetensors");
        Safetensors.write(file, Map.of("a", Tensor.allocate(2)));
        SafetensorsFile open = SafetensorsFile.open(file);
        open.close();
        open.close();
        assertThrows(CheckpointException.class, () -> open.tensor("a"));
        assertThrows(CheckpointException.class, () -> open.dtype("b"));
    }

    @Test
    void flippedBitsInAHeaderNeverSurprise() throws IOException {
        Path file = folder.resolve("x.safetensors");
        Safetensors.write(file, Map.of("a", Tensor.allocate(2, 3), "b", Tensor.allocate(4)));
        byte[] sound = Files.readAllBytes(file);
        Random random = new Random(2);
        int refused = 0;
        for (int i = 0; i < 2000; i++) {
            byte[] bytes = sound.clone();
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                bytes[random.nextInt(bytes.length - 40)] ^= (byte) (1 << random.nextInt(8));
            }
            Files.write(file, bytes);
            try {
                Safetensors.read(file);
            } catch (CheckpointException e) {
                refused++;
            }
        }
        assertFalse(refused < 500, "only " + refused + " of 2000 damaged headers were refused");
    }

    private static ByteBuffer add(StringBuilder header, ByteBuffer data, String type, int bytes, int begin) {
        header.append(String.format(
                ",\"%s\":{\"dtype\":\"%s\",\"shape\":[2],\"data_offsets\":[%d,%d]}",
                type, type, begin, begin + 2 * bytes));
        return data;
    }

    private Path write(String header, byte[] data) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        Path file = folder.resolve("made.safetensors");
        Files.write(
                file,
                ByteBuffer.allocate(8 + json.length + data.length)
                        .putLong(Long.reverseBytes(json.length))
                        .put(json)
                        .put(data)
                        .array());
        return file;
    }

    private static Tensor randomTensor(Random random, long... shape) {
        Tensor tensor = Tensor.allocate(shape);
        for (int i = 0; i < tensor.size(); i++) {
            tensor.data().put(i, (float) random.nextGaussian());
        }
        return tensor;
    }
}
