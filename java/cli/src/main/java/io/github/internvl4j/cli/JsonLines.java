package io.github.internvl4j.cli;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The lines of a file that are not blank, as bytes: a line that is no UTF-8 is that line's failure alone. */
final class JsonLines implements Closeable {
    /** Every byte is a character of Latin-1, so nothing is lost there. */
    private static final Charset BYTES = StandardCharsets.ISO_8859_1;

    private static final String MARK = "\u00ef\u00bb\u00bf";

    private final BufferedReader reader;
    private final Charset charset;
    private long number;

    /**
     * A line.
     *
     * @param number from 1, blank lines counted too: as an editor shows it
     * @param bytes in UTF-8
     */
    record Line(long number, byte[] bytes) {}

    JsonLines(Path file) throws IOException {
        this(Files.newInputStream(file));
    }

    JsonLines(InputStream stream) throws IOException {
        BufferedInputStream in = new BufferedInputStream(stream);
        in.mark(2);
        Charset told = Utf8.charset(in.readNBytes(2));
        in.reset();
        charset = told.equals(StandardCharsets.UTF_8) ? BYTES : told;
        // With a decoder, not a charset: damaged UTF-16 is a failure.
        reader = new BufferedReader(new InputStreamReader(in, charset.newDecoder()));
    }

    static long count(Path file) throws IOException {
        try (JsonLines lines = new JsonLines(file)) {
            long count = 0;
            while (lines.next() != null) {
                count++;
            }
            return count;
        }
    }

    /** The next line, or null at the end. */
    @Nullable
    Line next() throws IOException {
        String line;
        do {
            line = reader.readLine();
            line = ++number == 1 && line != null ? unmarked(line) : line;
        } while (line != null && line.isBlank());
        return line == null
                ? null
                : new Line(number, line.getBytes(charset.equals(BYTES) ? BYTES : StandardCharsets.UTF_8));
    }

    private String unmarked(String line) {
        String mark = charset.equals(BYTES) ? MARK : "\ufeff";
        return line.startsWith(mark) ? line.substring(mark.length()) : line;
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
