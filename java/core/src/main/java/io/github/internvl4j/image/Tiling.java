package io.github.internvl4j.image;

import io.github.internvl4j.error.InvalidOptionException;

/**
 * How images are cut into tiles, as the original's {@code dynamic_preprocess} does it: an image is resized to the
 * grid of squares whose shape is nearest to its own, and each square is a tile; the whole image in one more square,
 * the thumbnail, comes behind them. The model sees every tile as an image of its own, so that the number of tiles is
 * the number of an image's tokens.
 * A record: these are all the numbers of the original's rule.
 *
 * @param dynamic false: an image is one square, whatever its shape; the other components do not matter then
 * @param thumbnail whether behind several tiles the whole image comes as one more
 * @param least tiles of an image at least, without the thumbnail; from 1 to {@code most}
 * @param most tiles of an image at most, likewise; from 1 to {@link #LARGEST_MOST}
 */
public record Tiling(boolean dynamic, boolean thumbnail, int least, int most) {
    /** The largest {@link #most()}. */
    public static final int LARGEST_MOST = 1024;

    /** Every image is one square, as for InternVL-Chat-V1-2. */
    public static final Tiling NONE = new Tiling(false, false, 1, 1);

    /** So many columns and rows of tiles. */
    record Grid(int columns, int rows) {
        int tiles() {
            return columns * rows;
        }
    }

    /**
     * Checks the ranges.
     *
     * @param dynamic see above
     * @param thumbnail see above
     * @param least from 1 to {@code most}
     * @param most from 1 to {@link #LARGEST_MOST}
     * @throws InvalidOptionException if a limit is out of its range
     */
    public Tiling {
        checkMost("most", most);
        if (least < 1 || least > most) {
            throw new InvalidOptionException("least is " + least + ", it must be from 1 to most, " + most);
        }
    }

    private static void checkMost(String name, int most) {
        if (most < 1 || most > LARGEST_MOST) {
            throw new InvalidOptionException(name + " is " + most + ", it must be from 1 to " + LARGEST_MOST);
        }
    }

    /**
     * This tiling with another limit, also above the checkpoint's own. Where images are not cut, they still are not.
     *
     * @param maxTiles tiles of an image at most, without the thumbnail, from 1 to {@link #LARGEST_MOST}; with 1 an image
     *     is one square and has no thumbnail
     * @return the tiling
     * @throws InvalidOptionException if the limit is out of its range
     */
    public Tiling most(int maxTiles) {
        checkMost("maxTiles", maxTiles);
        return new Tiling(dynamic, thumbnail, Math.min(least, maxTiles), maxTiles);
    }

    /**
     * The earlier name of {@link #most(int)}.
     *
     * @param maxTiles as there
     * @return the tiling
     * @throws InvalidOptionException as there
     * @deprecated all settings are named without "with" now
     */
    @Deprecated(since = "0.1.0")
    @SuppressWarnings("InlineMeSuggester") // its annotation would be a dependency of users
    public Tiling withMost(int maxTiles) {
        return most(maxTiles);
    }

    /**
     * How many tiles an image has, the thumbnail included. Its pixels do not matter.
     *
     * @param width of the image in pixels, at least 1
     * @param height of the image in pixels, at least 1
     * @param imageSize of a tile in pixels, width and height alike, at least 1
     * @return at least 1
     * @throws InvalidOptionException if a size is below 1
     */
    public int tiles(int width, int height, int imageSize) {
        if (width < 1 || height < 1 || imageSize < 1) {
            throw new InvalidOptionException(
                    "there is no tile of " + imageSize + " pixels in an image of " + width + "x" + height + " pixels");
        }
        Grid grid = grid(width, height, imageSize);
        return grid.tiles() + (hasThumbnail(grid) ? 1 : 0);
    }

    boolean hasThumbnail(Grid grid) {
        return thumbnail && grid.tiles() > 1;
    }

    /**
     * The grid of an image. Grids are tried by their number of tiles, those of one number by their columns; the first of
     * the nearest wins, but a later one that is as near is taken if the image has more than half of its pixels.
     */
    Grid grid(int width, int height, int imageSize) {
        Grid best = new Grid(1, 1);
        if (!dynamic) {
            return best;
        }
        double ratio = (double) width / height;
        double area = (double) width * height;
        double nearest = Double.POSITIVE_INFINITY;
        for (int tiles = least; tiles <= most; tiles++) {
            for (int columns = 1; columns <= tiles; columns++) {
                if (tiles % columns != 0) {
                    continue;
                }
                Grid grid = new Grid(columns, tiles / columns);
                double distance = Math.abs(ratio - (double) grid.columns() / grid.rows());
                if (distance < nearest || distance == nearest && area > 0.5 * imageSize * imageSize * tiles) {
                    nearest = distance;
                    best = grid;
                }
            }
        }
        return best;
    }
}
