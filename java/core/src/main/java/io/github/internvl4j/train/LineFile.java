package io.github.internvl4j.train;

import io.github.internvl4j.error.TrainingDataException;
import io.github.internvl4j.host.FileProblems;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** A file of lines of which only the places are held: sets have millions of them. Blank lines are counted, but are none of them. */
final class LineFile {
    private final Path path;
    private final long[] starts;
    private final int[] bytes;
    private final int[] numbers;

    private LineFile(Path path, long[] starts, int[] bytes, int[] numbers) {
        this.path = path;
        this.starts = starts;
        this.bytes = bytes;
        this.numbers = numbers;
    }

    /** @throws TrainingDataException if it cannot be read */
    static LineFile open(Path path) {
        Places places = new Places();
        try (InputStream in = new BufferedInputStream(Files.newInputStream(path), 1 << 20)) {
            for (int next = in.read(); next >= 0; next = in.read()) {
                places.accept(next);
            }
        } catch (IOException e) {
            throw new TrainingDataException(FileProblems.describe(path, "read", e), e);
        }
        places.end();
        return new LineFile(
                path,
                Arrays.copyOf(places.starts, places.count),
                Arrays.copyOf(places.bytes, places.count),
                Arrays.copyOf(places.numbers, places.count));
    }

    /** Finds lines byte by byte. */
    private static final class Places {
        private long[] starts = new long[1024];
        private int[] bytes = new int[1024];
        private int[] numbers = new int[1024];
        private int count;
        private int number = 1;
        private long at;
        private long start;
        private boolean blank = true;

        void accept(int next) {
            at++;
            if (next == '\n') {
                end();
                start = at;
                blank = true;
                number++;
            } else if (next > ' ') {
                blank = false;
            }
        }

        void end() {
            if (blank) {
                return;
            }
            if (count == starts.length) {
                starts = Arrays.copyOf(starts, 2 * count);
                bytes = Arrays.copyOf(bytes, 2 * count);
                numbers = Arrays.copyOf(numbers, 2 * count);
            }
            starts[count] = start;
            bytes[count] = Math.toIntExact(at - start);
            numbers[count++] = number;
        }
    }

    Path path() {
        return path;
    }

    int count() {
        return starts.length;
    }

    /** The line's number as an editor shows it, from 1 on. */
    int number(int line) {
        return numbers[line];
    }

    /**
     * A line's bytes.
     *
     * @throws TrainingDataException if the file is another one by now
     */
    byte[] read(int line) {
        ByteBuffer buffer = ByteBuffer.allocate(bytes[line]);
        try (FileChannel channel = FileChannel.open(path)) {
            long at = starts[line];
            while (buffer.hasRemaining()) {
                int read = channel.read(buffer, at);
                if (read < 0) {
                    throw new TrainingDataException(path + ": ends before line " + numbers[line]
                            + ", which was there when the training began; leave the file as it is meanwhile");
                }
                at += read;
            }
        } catch (IOException e) {
            throw new TrainingDataException(FileProblems.describe(path, "read", e), e);
        }
        return buffer.array();
    }
}
