package io.github.internvl4j.train;

import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.Tiling;
import org.jspecify.annotations.Nullable;

/**
 * An image of a sample.
 *
 * @param content tells it from others: its file's bytes and how it is cut
 * @param tiles how many it is cut into, with its thumbnail
 * @param tiling how it is cut
 * @param image null where only its rows are needed any more, which are kept
 */
record Picture(
        String content, int tiles, Tiling tiling, @Nullable Image image) {}
