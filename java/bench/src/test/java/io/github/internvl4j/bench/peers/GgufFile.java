package io.github.internvl4j.bench.peers;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads a small GGUF file, written after the format's description and not after {@link GgufWriter}. */
final class GgufFile {
    record Tensor(List<Long> size, int type, long offset) {
        long count() {
            return size.stream().reduce(1L, (a, b) -> a * b);
        }
    }

    final Map<String, Object> metadata = new LinkedHashMap<>();
    final Map<String, Tensor> tensors = new LinkedHashMap<>();
    final int dataBegin;
    private final ByteBuffer bytes;

    GgufFile(Path file) throws IOException {
        bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] magic = new byte[4];
        bytes.get(magic);
        if (!new String(magic, StandardCharsets.US_ASCII).equals("GGUF") || bytes.getInt() != 3) {
            throw new IOException("no GGUF of version 3");
        }
        long tensorCount = bytes.getLong();
        long entries = bytes.getLong();
        for (long i = 0; i < entries; i++) {
            metadata.put(string(), value(bytes.getInt()));
        }
        for (long i = 0; i < tensorCount; i++) {
            String name = string();
            List<Long> size = new ArrayList<>();
            for (int dimensions = bytes.getInt(); dimensions > 0; dimensions--) {
                size.add(bytes.getLong());
            }
            tensors.put(name, new Tensor(size, bytes.getInt(), bytes.getLong()));
        }
        dataBegin = (bytes.position() + 31) / 32 * 32;
    }

    int size() {
        return bytes.capacity();
    }

    /** The tensor's values; types as ggml.h numbers them. */
    float[] values(String name) {
        Tensor tensor = tensors.get(name);
        ByteBuffer data = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN).position(dataBegin + (int) tensor.offset());
        float[] values = new float[(int) tensor.count()];
        float scale = 0;
        for (int i = 0; i < values.length; i++) {
            if (tensor.type() == 8 && i % 32 == 0) {
                scale = half(data.getShort());
            }
            values[i] = switch (tensor.type()) {
                case 0 -> data.getFloat();
                case 1 -> half(data.getShort());
                case 8 -> data.get() * scale;
                case 30 -> Float.intBitsToFloat(data.getShort() << 16);
                default -> throw new IllegalArgumentException("type " + tensor.type());
            };
        }
        return values;
    }

    /** By the definition of binary16. */
    static float half(short bits) {
        int exponent = bits >> 10 & 31;
        int fraction = bits & 1023;
        double magnitude = exponent == 0
                ? fraction * Math.pow(2, -24)
                : exponent == 31 ? Double.POSITIVE_INFINITY : (1024 + fraction) * Math.pow(2, exponent - 25);
        return (float) (bits < 0 ? -magnitude : magnitude);
    }

    private String string() {
        byte[] utf8 = new byte[(int) bytes.getLong()];
        bytes.get(utf8);
        return new String(utf8, StandardCharsets.UTF_8);
    }

    private Object value(int type) throws IOException {
        return switch (type) {
            case 4 -> Integer.toUnsignedLong(bytes.getInt());
            case 5 -> bytes.getInt();
            case 6 -> bytes.getFloat();
            case 7 -> bytes.get() != 0;
            case 8 -> string();
            case 9 -> {
                int element = bytes.getInt();
                List<Object> values = new ArrayList<>();
                for (long count = bytes.getLong(); count > 0; count--) {
                    values.add(value(element));
                }
                yield values;
            }
            default -> throw new IOException("metadata of type " + type);
        };
    }
}
