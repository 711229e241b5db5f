package io.github.internvl4j.tensor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.FileProblems;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes whole safetensors files of dumped values. The format: 8 bytes, little-endian, the header's length;
 * the header in JSON, padded with spaces so that the data begin at a multiple of 8; the tensors' bytes, little-endian.
 */
public final class Safetensors {
    private static final int CHUNK_FLOATS = 1 << 18;

    private Safetensors() {}

    /**
     * Reads every tensor as f32. For large files see {@link SafetensorsFile}, which reads them one at a time.
     *
     * @param file the file
     * @return the tensors by name, in the header's order; modifiable
     * @throws CheckpointException if the file cannot be read or is not sound
     */
    public static Map<String, Tensor> read(Path file) {
        Objects.requireNonNull(file, "file");
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (SafetensorsFile open = SafetensorsFile.open(file)) {
            for (String name : open.names()) {
                tensors.put(name, open.tensor(name));
            }
        }
        return tensors;
    }

    /**
     * Writes tensors as F32, in the map's order. The file appears whole or not at all: a temporary file beside it is
     * written first and then moved over it.
     *
     * @param file where; an existing file is replaced
     * @param tensors by name
     * @throws CheckpointException if the file cannot be written
     * @throws InvalidOptionException if a tensor is named {@code __metadata__}, which the format reserves
     */
    public static void write(Path file, Map<String, Tensor> tensors) {
        Objects.requireNonNull(file, "file");
        Objects.requireNonNull(tensors, "tensors");
        if (tensors.containsKey("__metadata__")) {
            throw new InvalidOptionException("a tensor cannot be named __metadata__: the format reserves the name");
        }
        Path target = file.toAbsolutePath();
        Path folder = target.getParent();
        if (folder == null || Files.isDirectory(target)) {
            throw new CheckpointException(file + " cannot be written: it is a folder");
        }
        Path temporary = null;
        try {
            // Not createTempFile: its files are readable by their owner only, and the move would keep that.
            temporary = folder.resolve(target.getFileName() + "." + Long.toHexString(System.nanoTime()) + ".part");
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                writeFully(channel, header(tensors));
                for (Tensor tensor : tensors.values()) {
                    writeData(channel, tensor);
                }
            }
            move(temporary, target);
        } catch (IOException e) {
            deleteAfter(temporary, e);
            throw new CheckpointException(file + " cannot be written: " + FileProblems.reason(e), e);
        } catch (RuntimeException | Error e) {
            deleteAfter(temporary, e);
            throw e;
        }
    }

    private static ByteBuffer header(Map<String, Tensor> tensors) throws IOException {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        try (JsonGenerator out = new JsonFactory().createGenerator(json)) {
            out.writeStartObject();
            long begin = 0;
            for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
                long end = Math.addExact(begin, entry.getValue().size() * Float.BYTES);
                out.writeObjectFieldStart(entry.getKey());
                out.writeStringField("dtype", "F32");
                out.writeFieldName("shape");
                long[] shape = entry.getValue().shape();
                out.writeArray(shape, 0, shape.length);
                out.writeFieldName("data_offsets");
                out.writeArray(new long[] {begin, end}, 0, 2);
                out.writeEndObject();
                begin = end;
            }
            out.writeEndObject();
        }
        while (json.size() % Long.BYTES != 0) {
            json.write(' ');
        }
        return ByteBuffer.allocate(Long.BYTES + json.size())
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.size())
                .put(json.toByteArray())
                .flip();
    }

    private static void writeData(FileChannel channel, Tensor tensor) throws IOException {
        FloatBuffer values = tensor.data();
        ByteBuffer chunk = ByteBuffer.allocateDirect((int) Math.min(CHUNK_FLOATS, tensor.size()) * Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        while (values.hasRemaining()) {
            int count = Math.min(CHUNK_FLOATS, values.remaining());
            chunk.clear().limit(count * Float.BYTES);
            chunk.asFloatBuffer().put(values.slice(values.position(), count));
            values.position(values.position() + count);
            writeFully(channel, chunk);
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void deleteAfter(@Nullable Path temporary, Throwable failure) {
        if (temporary != null) {
            try {
                Files.deleteIfExists(temporary);
            } catch (IOException e) {
                failure.addSuppressed(e);
            }
        }
    }
}
