package io.github.internvl4j.hub;

import io.github.internvl4j.error.HubException;
import io.github.internvl4j.host.FileProblems;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * One thread of all processes on this machine downloads a blob. The lock goes with the process that has it, however it ends; its
 * file stays.
 */
final class BlobLock {
    private static final long LOOK_AGAIN_MILLIS = 100;

    /** Those of this process. Closing a second channel of a file would give up the first one's lock. */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final FileChannel channel;

    private BlobLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** What is done with the lock. */
    interface Task {
        void run() throws IOException, InterruptedException;
    }

    /**
     * Waits until nobody has the lock, and does something with it.
     *
     * @param folder where locks are; made if it is not there
     * @param waiting run once if somebody has it
     */
    static void during(Path folder, String name, Runnable waiting, Task task) throws IOException, InterruptedException {
        BlobLock lock = acquire(folder, name, waiting);
        try {
            task.run();
        } finally {
            lock.release();
        }
    }

    private static BlobLock acquire(Path folder, String name, Runnable waiting) throws InterruptedException {
        try {
            Path file = HubCache.existing(folder).toRealPath().resolve(name);
            BlobLock lock = tryAcquire(file);
            if (lock == null) {
                waiting.run();
            }
            while (lock == null) {
                Thread.sleep(LOOK_AGAIN_MILLIS);
                lock = tryAcquire(file);
            }
            return lock;
        } catch (IOException e) {
            throw new HubException(
                    FileProblems.describe(folder.resolve(name), "locked", e)
                            + "; HF_HUB_CACHE names a folder on another file system",
                    e);
        }
    }

    private static @Nullable BlobLock tryAcquire(Path file) throws IOException {
        if (!HELD.add(file)) {
            return null;
        }
        FileChannel channel = null;
        boolean mine = false;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock();
            mine = lock != null;
            return mine ? new BlobLock(file, channel) : null;
        } catch (OverlappingFileLockException e) {
            return null; // this process has the library twice
        } finally {
            if (!mine) {
                release(file, channel);
            }
        }
    }

    private static void release(Path file, @Nullable FileChannel channel) throws IOException {
        try {
            if (channel != null) {
                channel.close();
            }
        } finally {
            HELD.remove(file);
        }
    }

    private void release() {
        try {
            release(file, channel);
        } catch (IOException e) {
            // Given up all the same.
        }
    }
}
