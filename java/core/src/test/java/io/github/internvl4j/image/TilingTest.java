package io.github.internvl4j.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.InvalidOptionException;
import java.io.IOException;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TilingTest {
    private static final Tiling TWELVE = new Tiling(true, true, 1, 12);

    static List<String[]> goldens() throws IOException {
        return TestImages.table("tiles.tsv");
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void equalsTheOriginal(int width, int height, int size, int least, int most, int columns, int rows) {
        Tiling tiling = new Tiling(true, true, least, most);
        assertEquals(new Tiling.Grid(columns, rows), tiling.grid(width, height, size));
        int tiles = columns * rows;
        assertEquals(tiles == 1 ? 1 : tiles + 1, tiling.tiles(width, height, size));
        assertEquals(tiles, new Tiling(true, false, least, most).tiles(width, height, size));
    }

    @Property
    void keepsWithinItsLimits(
            @ForAll @IntRange(min = 1, max = 70_000) int width,
            @ForAll @IntRange(min = 1, max = 70_000) int height,
            @ForAll @IntRange(min = 1, max = 448) int size,
            @ForAll @IntRange(min = 1, max = 40) int least,
            @ForAll @IntRange(min = 0, max = 40) int more) {
        Tiling tiling = new Tiling(true, true, least, least + more);
        int tiles = tiling.grid(width, height, size).tiles();
        assertTrue(tiles >= least && tiles <= least + more, () -> tiles + " tiles");
        assertEquals(1, tiling.most(1).tiles(width, height, size));
        assertEquals(1, Tiling.NONE.most(12).tiles(width, height, size));
    }

    /** No grid's shape is nearer to the image's than the chosen one's. */
    @Property
    void theShapeIsTheNearest(
            @ForAll @IntRange(min = 1, max = 5000) int width,
            @ForAll @IntRange(min = 1, max = 5000) int height,
            @ForAll @IntRange(min = 1, max = 40) int most) {
        Tiling.Grid chosen = TWELVE.most(most).grid(width, height, 448);
        double ratio = (double) width / height;
        double distance = Math.abs(ratio - (double) chosen.columns() / chosen.rows());
        for (int columns = 1; columns <= most; columns++) {
            for (int rows = 1; columns * rows <= most; rows++) {
                assertTrue(Math.abs(ratio - (double) columns / rows) >= distance);
            }
        }
    }

    @Test
    void anotherLimitMayBeAboveTheCheckpointsOwn() {
        assertEquals(new Tiling(true, true, 1, 24), TWELVE.most(24));
        assertEquals(new Tiling(true, true, 2, 2), new Tiling(true, true, 3, 6).most(2));
        assertEquals(25, TWELVE.most(24).tiles(24_000, 1000, 448));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 1_000_000, Integer.MAX_VALUE, Integer.MIN_VALUE})
    void impossibleLimitsAreNamed(int limit) {
        assertReason("maxTiles is " + limit, () -> TWELVE.most(limit));
        assertReason("most is " + limit, () -> new Tiling(true, true, 1, limit));
        assertReason("least is " + limit, () -> new Tiling(true, true, limit, 12));
    }

    @Test
    void thereIsNoTileOfNothing() {
        assertReason("0x5", () -> TWELVE.tiles(0, 5, 448));
        assertReason("5x0", () -> TWELVE.tiles(5, 0, 448));
        assertReason("0 pixels", () -> TWELVE.tiles(5, 5, 0));
    }

    private static void assertReason(String reason, Runnable action) {
        InvalidOptionException e = assertThrows(InvalidOptionException.class, action::run);
        assertTrue(String.valueOf(e.getMessage()).contains(reason), e.getMessage());
    }
}
