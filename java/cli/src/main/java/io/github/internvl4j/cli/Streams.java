package io.github.internvl4j.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Where a command reads and writes: the process' own streams, or those of a program that runs it. */
final class Streams {
    private final InputStream in;
    private final Watched sink;
    private final PrintStream out;
    private final PrintStream err;
    private final boolean own;

    /** The streams of another program; none is taken for a terminal. */
    Streams(InputStream in, OutputStream out, OutputStream err) {
        this(in, out, err, false);
    }

    private Streams(InputStream in, OutputStream out, OutputStream err, boolean own) {
        this.in = in;
        this.own = own;
        sink = new Watched(out);
        this.out = new PrintStream(sink, true, StandardCharsets.UTF_8);
        this.err = new PrintStream(err, true, StandardCharsets.UTF_8);
    }

    /** The process' own. */
    static Streams system() {
        return new Streams(
                StandardInput.stream(),
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err),
                true);
    }

    InputStream in() {
        return in;
    }

    PrintStream out() {
        return out;
    }

    /** Standard output for those who want to know at once that it cannot be written; it stays open. */
    OutputStream direct() {
        return new FilterOutputStream(sink) {
            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                sink.write(bytes, offset, length);
            }

            @Override
            public void close() throws IOException {
                sink.flush();
            }
        };
    }

    PrintStream err() {
        return err;
    }

    /** Whether questions are typed by a person. */
    boolean inIsTerminal() {
        return own && Terminals.isInput();
    }

    /** Whether a person watches standard error. */
    boolean errIsTerminal() {
        return own && Terminals.isError();
    }

    /** What kept output from being written, once something did: no use to go on. */
    @Nullable
    IOException outFailure() {
        out.flush();
        return sink.failure;
    }

    /** {@link PrintStream} tells that writing failed, but not why. */
    private static final class Watched extends OutputStream {
        private final OutputStream target;
        private @Nullable IOException failure;

        Watched(OutputStream target) {
            this.target = target;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            try {
                target.write(bytes, offset, length);
            } catch (IOException e) {
                failure = failure == null ? e : failure;
                throw e;
            }
        }

        @Override
        public void flush() throws IOException {
            target.flush();
        }
    }
}
