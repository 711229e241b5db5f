package io.github.internvl4j.image;

import java.io.IOException;

/** Undoes the row filters of PNG (ISO/IEC 15948, clause 9). */
final class PngFilter {
    private PngFilter() {}

    /**
     * Restores a row in place.
     *
     * @param row the filter's number, then the filtered bytes
     * @param above the row above, restored, in the same layout; zeros above the first row of a pass
     * @param distance bytes from a pixel to the one on its left, at least 1
     * @throws IOException if there is no such filter
     */
    static void undo(byte[] row, byte[] above, int distance) throws IOException {
        switch (row[0]) {
            case 0 -> {}
            case 1 -> {
                for (int i = 1 + distance; i < row.length; i++) {
                    row[i] += row[i - distance];
                }
            }
            case 2 -> {
                for (int i = 1; i < row.length; i++) {
                    row[i] += above[i];
                }
            }
            case 3 -> average(row, above, distance);
            case 4 -> paeth(row, above, distance);
            default -> throw new IOException("row filter " + (row[0] & 0xff) + " does not exist");
        }
    }

    private static void average(byte[] row, byte[] above, int distance) {
        int first = Math.min(1 + distance, row.length);
        for (int i = 1; i < first; i++) {
            row[i] += (byte) ((above[i] & 0xff) >> 1);
        }
        for (int i = first; i < row.length; i++) {
            row[i] += (byte) ((row[i - distance] & 0xff) + (above[i] & 0xff) >> 1);
        }
    }

    private static void paeth(byte[] row, byte[] above, int distance) {
        int first = Math.min(1 + distance, row.length);
        for (int i = 1; i < first; i++) {
            row[i] += above[i];
        }
        for (int i = first; i < row.length; i++) {
            int left = row[i - distance] & 0xff;
            int up = above[i] & 0xff;
            int corner = above[i - distance] & 0xff;
            int toLeft = Math.abs(up - corner);
            int toUp = Math.abs(left - corner);
            int toCorner = Math.abs(left + up - 2 * corner);
            int nearest = toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
            row[i] += (byte) nearest;
        }
    }
}
