package io.github.internvl4j.fuzz;

import com.sun.management.ThreadMXBean;
import io.github.internvl4j.error.InternVLException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What reading a hostile file may do, of which each fuzz target is a case: give a result, or throw one of the documented
 * exceptions with a message, and allocate no more than a bound. The time is the fuzzer's to watch.
 */
public final class Contract {
    /** Also of classes that are loaded for the first time. */
    private static final long MOST_BYTES = 128L << 20;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private Contract() {}

    /**
     * Runs a target.
     *
     * @param reading reads the input
     * @param documented the exceptions that it may throw
     */
    public static void check(Runnable reading, List<Class<? extends InternVLException>> documented) {
        long before = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
        try {
            reading.run();
        } catch (InternVLException e) {
            String message = e.getMessage();
            if (message == null || message.isBlank() || documented.stream().noneMatch(type -> type.isInstance(e))) {
                throw e;
            }
        }
        long taken = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
        if (taken > MOST_BYTES) {
            throw new AssertionError(taken + " bytes were allocated; at most " + MOST_BYTES + " may be");
        }
    }

    /** A folder for the files of one target; in memory where that can be, as it is written to thousands of times a second. */
    public static Path folder() {
        try {
            Path memory = Path.of("/dev/shm");
            Path folder = Files.isWritable(memory)
                    ? Files.createTempDirectory(memory, "internvl4j-fuzz")
                    : Files.createTempDirectory("internvl4j-fuzz");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a file. */
    public static void write(Path file, byte[] bytes) {
        try {
            Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path folder) {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
            Files.delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
