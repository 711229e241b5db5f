package io.github.internvl4j.cli;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;

/**
 * A file of answers, one a line, that can go on with what an earlier run has left. New answers are added at the end; in the
 * requests' order they all are when the file is closed.
 */
final class AnswerFile implements AnswerSink {
    private final Path file;
    private final TreeMap<Integer, Extent> lines = new TreeMap<>();
    private FileChannel channel;
    private boolean ordered = true;

    /** Where an answer's line is, without the line's end. */
    record Extent(long offset, int length) {}

    /** Opens the file or makes it. Its content stays until {@link #keep}. */
    AnswerFile(Path file) throws IOException {
        // A link stays one: what takes the file's place takes that of the file it leads to.
        this.file = Files.exists(file) ? file.toRealPath() : file;
        channel = open(this.file);
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
    }

    /**
     * Leaves these answers of the file and nothing else.
     *
     * @param kept by the requests' numbers
     */
    void keep(Map<Integer, Extent> kept) throws IOException {
        lines.putAll(kept);
        long bytes =
                kept.values().stream().mapToLong(line -> line.length() + 1L).sum();
        if (bytes == 0) {
            channel.truncate(0);
        } else if (bytes != channel.size() || !inOrder()) {
            rewrite();
        }
        channel.position(channel.size());
    }

    private boolean inOrder() {
        long before = -1;
        for (Extent line : lines.values()) {
            if (line.offset() < before) {
                return false;
            }
            before = line.offset();
        }
        return true;
    }

    @Override
    public void write(int index, String line) throws IOException {
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        ordered &= lines.isEmpty() || lines.lastKey() < index;
        lines.put(index, new Extent(channel.position(), bytes.length - 1));
        writeAll(channel, ByteBuffer.wrap(bytes));
    }

    private static void writeAll(FileChannel target, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            target.write(bytes);
        }
    }

    /** Puts the answers into a new file, in the requests' order, which takes the old one's place: none is lost on the way. */
    private void rewrite() throws IOException {
        Path next = file.resolveSibling(file.getFileName() + ".tmp");
        Files.copy(
                file, next, StandardCopyOption.COPY_ATTRIBUTES, StandardCopyOption.REPLACE_EXISTING); // who may read it
        try (FileChannel target =
                FileChannel.open(next, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            for (Map.Entry<Integer, Extent> line : lines.entrySet()) {
                ByteBuffer bytes = read(line.getValue());
                line.setValue(new Extent(target.position(), line.getValue().length()));
                writeAll(target, bytes);
            }
            target.force(false);
        }
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
        channel.close();
        channel = open(file);
        ordered = true;
    }

    /** A line with its end. */
    private ByteBuffer read(Extent line) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(line.length() + 1).limit(line.length());
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, line.offset() + bytes.position()) < 0) {
                throw new EOFException(file + " was shortened by somebody else meanwhile");
            }
        }
        return bytes.limit(line.length() + 1).put((byte) '\n').flip();
    }

    @Override
    public void close() throws IOException {
        try {
            if (!ordered) {
                rewrite();
            }
        } finally {
            channel.close();
        }
    }
}
