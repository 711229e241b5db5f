package io.github.internvl4j.runtime;

import io.github.internvl4j.internal.global.internvl4j;
import java.nio.file.Path;
import org.bytedeco.javacpp.BytePointer;

/** What the system keeps in memory of a checkpoint's files. */
public final class PageCache {
    private PageCache() {}

    /**
     * Asks the system to forget a checkpoint's weights, so that they are read from the disk again.
     *
     * @return the share of them, 0 to 1, that is in memory still
     */
    public static double drop(Path directory) {
        NativeLibrary.load();
        double[] resident = new double[1];
        try (BytePointer path = NativeLibrary.fileName(directory)) {
            NativeLibrary.check(internvl4j.ivl_drop_page_cache(path, resident));
        }
        return resident[0];
    }
}
