package io.github.internvl4j.train;

import io.github.internvl4j.tensor.Tensor;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the decoder sees of images, kept from one epoch to the next while neither vision tower nor projector learns. The first ones that have
 * room stay: an epoch meets every image once, so that throwing out the oldest would keep none that is met again.
 */
final class FeatureCache {
    private final long room;
    private final Map<String, Features> kept = new HashMap<>();
    private long bytes;

    /**
     * The rows of an image.
     *
     * @param tiles of the image
     * @param values a row for each of the tiles' tokens
     */
    record Features(int tiles, Tensor values) {}

    /** @param room in bytes; 0 keeps nothing */
    FeatureCache(long room) {
        this.room = room;
    }

    @Nullable
    Features get(String content) {
        return kept.get(content);
    }

    void put(String content, Features features) {
        long more = features.values().size() * Float.BYTES;
        if (bytes + more <= room && kept.putIfAbsent(content, features) == null) {
            bytes += more;
        }
    }

    /** What is kept, in bytes. */
    long bytes() {
        return bytes;
    }
}
