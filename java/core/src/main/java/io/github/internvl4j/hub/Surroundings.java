package io.github.internvl4j.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** The disk and the time; others in tests. */
interface Surroundings {
    /** The real ones. */
    Surroundings REAL = new Surroundings() {};

    /** Bytes that this user may still write where a folder is or would be; a very large number if that cannot be told. */
    default long freeSpace(Path folder) {
        Path at = folder;
        while (at != null && !Files.exists(at)) {
            at = at.getParent();
        }
        try {
            return at == null ? Long.MAX_VALUE : Files.getFileStore(at).getUsableSpace();
        } catch (IOException e) {
            return Long.MAX_VALUE; // writing will tell
        }
    }

    /** Waits before another try. */
    default void pause(Duration time) throws InterruptedException {
        Thread.sleep(time.toMillis());
    }
}
