package io.github.internvl4j.cli;

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The lines of a file that are not blank, as bytes: a line that is no UTF-8 is that line's failure alone. */
final class JsonLines implements Closeable {
    private final BufferedReader reader;

    JsonLines(Path file) throws IOException {
        // Every byte is a character of Latin-1, so nothing is lost here.
        reader = Files.newBufferedReader(file, StandardCharsets.ISO_8859_1);
    }

    static long count(Path file) throws IOException {
        try (Stream<String> lines = Files.lines(file, StandardCharsets.ISO_8859_1)) {
            return lines.filter(line -> !line.isBlank()).count();
        }
    }

    /** The next line, or null at the end. */
    byte @Nullable [] next() throws IOException {
        String line;
        do {
            line = reader.readLine();
        } while (line != null && line.isBlank());
        return line == null ? null : line.getBytes(StandardCharsets.ISO_8859_1);
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
