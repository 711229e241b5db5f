package io.github.internvl4j.image;

import java.util.Arrays;

/** Tables from a stored value to RGB: 256 triples, whatever the depth, so that no value falls outside. */
final class Palettes {
    private static final int BYTES = 3 * 256;

    private Palettes() {}

    /** The first 256 colours of a file's palette; missing ones are black, as in Pillow. */
    static byte[] padded(byte[] palette) {
        return Arrays.copyOf(palette, BYTES);
    }

    /** Gray levels evenly spread from 0 to 255: of 2 levels 0 and 255, of 256 the value itself. */
    static byte[] gray(int levels) {
        byte[] table = new byte[BYTES];
        for (int i = 0; i < levels; i++) {
            Arrays.fill(table, 3 * i, 3 * i + 3, (byte) (255 / (levels - 1) * i));
        }
        return table;
    }
}
