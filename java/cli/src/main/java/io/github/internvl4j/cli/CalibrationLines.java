package io.github.internvl4j.cli;

import io.github.internvl4j.Prompt;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.PromptException;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.NoSuchElementException;
import me.tongfei.progressbar.ProgressBar;
import org.jspecify.annotations.Nullable;

/** The prompts of a batch file's requests, once; a line is parsed, and its images are read, when its turn comes. */
final class CalibrationLines implements Iterator<Prompt>, Closeable {
    private final Path file;
    private final InputRules rules;
    private final Media media;
    private final JsonLines lines;
    private final @Nullable ProgressBar bar;
    private JsonLines.@Nullable Line next;

    CalibrationLines(Path file, InputRules rules, Streams streams) throws IOException {
        this.file = file;
        this.rules = rules;
        media = rules.media(file);
        long count = JsonLines.count(file);
        lines = new JsonLines(file);
        next = lines.next();
        bar = streams.errIsTerminal() ? Progress.ofThings("requests", count, streams) : null;
    }

    @Override
    public boolean hasNext() {
        if (next == null && bar != null) {
            bar.close();
        }
        return next != null;
    }

    @Override
    public Prompt next() {
        JsonLines.Line line = next;
        if (line == null) {
            throw new NoSuchElementException();
        }
        try {
            next = lines.next();
            if (bar != null) {
                bar.step();
            }
            return BatchLine.of(BatchLine.parse(line.bytes())).prompt(media, rules);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InternVLException e) {
            throw new PromptException(file + ", line " + line.number() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        if (bar != null) {
            bar.close();
        }
        lines.close();
    }
}
