package io.github.internvl4j.tensor;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.FileProblems;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * An open safetensors file whose tensors are read one at a time, on demand, as f32. Made for dumped activations and
 * pixel values; a model's weights are read natively.
 *
 * <p>The header is checked when the file is opened: lengths, offsets, overlaps, types and names. The file may have any
 * size; one tensor is limited to {@link Tensor#MAX_ELEMENTS} values. Threads may read at the same time.
 */
public final class SafetensorsFile implements AutoCloseable {
    private static final int CHUNK_BYTES = 1 << 20; // a multiple of every element size

    private final Path file;
    private final FileChannel channel;
    private final long dataStart;
    private final Map<String, SafetensorsHeader.Entry> entries;

    private SafetensorsFile(
            Path file, FileChannel channel, long dataStart, Map<String, SafetensorsHeader.Entry> entries) {
        this.file = file;
        this.channel = channel;
        this.dataStart = dataStart;
        this.entries = entries;
    }

    /**
     * Opens a file and checks its header.
     *
     * @param file the file
     * @return the open file, to be closed by the caller
     * @throws CheckpointException if it cannot be read or is not a sound safetensors file; the message names the file
     *     and the tensor
     */
    public static SafetensorsFile open(Path file) {
        Objects.requireNonNull(file, "file");
        FileChannel channel = openChannel(file);
        try {
            long size = channel.size();
            if (size < Long.BYTES) {
                throw new CheckpointException(
                        file + " is not a safetensors file: it has " + size + " bytes, at least 8 are needed");
            }
            ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            readFully(file, channel, length, 0);
            long headerBytes = length.getLong(0);
            if (headerBytes < 0 || headerBytes > size - Long.BYTES) {
                throw new CheckpointException(file + " is not a safetensors file, or is truncated: its header has "
                        + Long.toUnsignedString(headerBytes) + " bytes, the file " + size);
            }
            if (headerBytes > SafetensorsHeader.MAX_BYTES) {
                throw new CheckpointException(file + ": the header has " + headerBytes + " bytes, at most "
                        + SafetensorsHeader.MAX_BYTES + " are allowed");
            }
            ByteBuffer json = ByteBuffer.allocate((int) headerBytes);
            readFully(file, channel, json, Long.BYTES);
            long dataStart = Long.BYTES + headerBytes;
            Map<String, SafetensorsHeader.Entry> entries =
                    SafetensorsHeader.parse(file, json.array(), size - dataStart);
            return new SafetensorsFile(file, channel, dataStart, entries);
        } catch (IOException e) {
            closeAfter(channel, e);
            throw new CheckpointException(file + " cannot be read: " + FileProblems.reason(e), e);
        } catch (RuntimeException | Error e) {
            closeAfter(channel, e);
            throw e;
        }
    }

    /**
     * The names of the tensors.
     *
     * @return an unmodifiable set in the header's order
     */
    public Set<String> names() {
        return Collections.unmodifiableSet(entries.keySet());
    }

    /**
     * The stored type of a tensor.
     *
     * @param name the tensor
     * @return as the header has it, such as {@code BF16}
     * @throws CheckpointException if there is no such tensor
     */
    public String dtype(String name) {
        Objects.requireNonNull(name, "name");
        return entry(name).type().name();
    }

    /**
     * The shape of a tensor.
     *
     * @param name the tensor
     * @return its sizes, outermost first, in a new array
     * @throws CheckpointException if there is no such tensor
     */
    public long[] shape(String name) {
        Objects.requireNonNull(name, "name");
        return entry(name).shape().clone();
    }

    /**
     * Reads a tensor and converts it to f32. F16 and BF16 convert exactly; F64 and wide integers are rounded to the
     * nearest f32; BOOL becomes 0 and 1.
     *
     * @param name the tensor
     * @return a new tensor
     * @throws CheckpointException if there is no such tensor, it is too large for one tensor, or it cannot be read
     */
    public Tensor tensor(String name) {
        Objects.requireNonNull(name, "name");
        SafetensorsHeader.Entry entry = entry(name);
        Tensor tensor;
        try {
            tensor = Tensor.allocate(entry.shape());
        } catch (InvalidOptionException e) {
            throw new CheckpointException(file + ": tensor " + name + ": " + e.getMessage(), e);
        }
        FloatBuffer target = tensor.data();
        try {
            ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, entry.end() - entry.begin()))
                    .order(ByteOrder.LITTLE_ENDIAN);
            for (long at = entry.begin(); at < entry.end(); at += chunk.capacity()) {
                chunk.clear().limit((int) Math.min(chunk.capacity(), entry.end() - at));
                readFully(file, channel, chunk, dataStart + at);
                entry.type().toFloat(chunk.flip(), target);
            }
        } catch (ClosedChannelException e) {
            throw new CheckpointException(file + ": tensor " + name + " was read after the file was closed", e);
        } catch (IOException e) {
            throw new CheckpointException(file + ": tensor " + name + " cannot be read: " + FileProblems.reason(e), e);
        }
        return tensor;
    }

    /** Closes the file; closing twice does nothing. Tensors that were read stay usable. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new CheckpointException(file + " cannot be closed: " + FileProblems.reason(e), e);
        }
    }

    private SafetensorsHeader.Entry entry(String name) {
        SafetensorsHeader.Entry entry = entries.get(name);
        if (entry == null) {
            throw new CheckpointException(file + " has no tensor " + name);
        }
        return entry;
    }

    private static FileChannel openChannel(Path file) {
        if (Files.isDirectory(file)) {
            throw new CheckpointException(file + " is a folder, not a safetensors file");
        }
        try {
            return FileChannel.open(file, StandardOpenOption.READ);
        } catch (IOException e) {
            throw new CheckpointException(FileProblems.describe(file, "opened", e), e);
        } catch (UnsupportedOperationException e) {
            throw new CheckpointException(file.toUri() + " cannot be opened: its file system knows no channels", e);
        }
    }

    private static void readFully(Path file, FileChannel channel, ByteBuffer target, long position) throws IOException {
        long at = position;
        while (target.hasRemaining()) {
            int count = channel.read(target, at);
            if (count < 0) {
                throw new CheckpointException(file + " ends at byte " + at + " while it is being read");
            }
            at += count;
        }
    }

    private static void closeAfter(FileChannel channel, Throwable failure) {
        try {
            channel.close();
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }
}
