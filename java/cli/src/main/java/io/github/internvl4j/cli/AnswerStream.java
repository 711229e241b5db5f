package io.github.internvl4j.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** A pipe or the like: answers go and are gone. */
final class AnswerStream implements AnswerSink {
    private final OutputStream stream;

    AnswerStream(OutputStream stream) {
        this.stream = stream;
    }

    @Override
    public void write(int index, String line) throws IOException {
        stream.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        stream.flush();
    }

    @Override
    public void close() throws IOException {
        stream.close();
    }
}
