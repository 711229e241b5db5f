package io.github.internvl4j.host;

import java.io.FileInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * What the system is short of. A class whose static initializer fails stays unusable, so what others' initializers need is
 * looked for before they run: then the same call works once the shortage is over.
 */
public final class Shortage {
    /** The system's own words. */
    static final String NO_DESCRIPTOR = "Too many open files";

    static final String DESCRIPTORS =
            "too many open files: the process has reached its limit of them, which \"ulimit -n\" raises";

    private static final String THREADS = "no more threads can be started: a limit of processes is reached (ulimit -u,"
            + " a container's pids.max), or there is no memory left for their stacks";

    private static final String NULL_DEVICE = "/dev/null";

    private Shortage() {}

    /** What an error of the JVM was short of, and what would help: not everything that it calls memory is heap. */
    public static String of(OutOfMemoryError error) {
        String message = String.valueOf(error.getMessage());
        if (message.contains("native thread")) {
            return THREADS;
        }
        if (message.contains("direct buffer")) {
            return "the memory for direct buffers is full; raise -XX:MaxDirectMemorySize";
        }
        if (message.contains("Metaspace") || message.contains("class space")) {
            return "the memory for classes is full (" + message + "); raise -XX:MaxMetaspaceSize or"
                    + " -XX:CompressedClassSpaceSize";
        }
        return "the Java heap is too small for it; raise -Xmx";
    }

    /**
     * Looks whether so many threads and files could be had just now, by having them.
     *
     * @return what is missing, or null
     */
    public static @Nullable String of(int threads, int descriptors) {
        String missing = ofDescriptors(descriptors);
        return missing != null ? missing : ofThreads(threads);
    }

    private static @Nullable String ofThreads(int count) {
        CountDownLatch end = new CountDownLatch(1);
        List<Thread> started = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                Thread thread = new Thread(() -> await(end), "InternVL4J looks for threads");
                thread.setDaemon(true);
                thread.start();
                started.add(thread);
            }
            return null;
        } catch (OutOfMemoryError e) {
            return of(e);
        } finally {
            end.countDown();
            started.forEach(Shortage::join);
        }
    }

    private static @Nullable String ofDescriptors(int count) {
        List<FileInputStream> open = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                open.add(new FileInputStream(NULL_DEVICE));
            }
        } catch (IOException e) {
            if (String.valueOf(e.getMessage()).contains(NO_DESCRIPTOR)) {
                return DESCRIPTORS;
            }
        } finally {
            open.forEach(Shortage::close);
        }
        return null;
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void close(FileInputStream stream) {
        try {
            stream.close();
        } catch (IOException e) {
            // Nothing was read from it.
        }
    }
}
