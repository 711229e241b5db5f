package io.github.internvl4j.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** What was compiled against the earlier names of settings goes on to work. */
@SuppressWarnings("deprecation")
class EarlierNamesTest {
    @Test
    void doWhatTheirSuccessorsDo() {
        ReadOptions defaults = ReadOptions.defaults();
        assertEquals(defaults.exifTranspose(true), defaults.withExifTranspose(true));
        assertEquals(defaults.maxPixels(9), defaults.withMaxPixels(9));
        Tiling cut = new Tiling(true, true, 1, 12);
        assertEquals(cut.most(6), cut.withMost(6));
    }
}
