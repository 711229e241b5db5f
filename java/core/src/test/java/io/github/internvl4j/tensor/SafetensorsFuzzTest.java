package io.github.internvl4j.tensor;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.fuzz.Contract;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.provider.MethodSource;

/** Any safetensors file. */
class SafetensorsFuzzTest {
    private static final Path FILE = Contract.folder().resolve("file.safetensors");

    static List<byte[]> seeds() {
        byte[] header =
                ("{\"__metadata__\":{\"a\":\"b\"},\"x\":{\"dtype\":\"BF16\",\"shape\":[2,1],\"data_offsets\":[0,4]},"
                                + "\"y\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8]}}")
                        .getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .array());
        file.writeBytes(header);
        file.writeBytes(new byte[8]);
        return List.of(file.toByteArray());
    }

    @MethodSource("seeds")
    @FuzzTest
    void read(byte[] bytes) {
        Contract.write(FILE, bytes);
        Contract.check(() -> Safetensors.read(FILE), List.of(CheckpointException.class));
    }
}
