package io.github.internvl4j.image;

import java.io.IOException;
import java.util.Set;

/**
 * Windows and OS/2 bitmaps: 1, 4, 8, 16, 24 and 32 bits a pixel, bit fields, run lengths, either row order.
 *
 * <p>Alpha is dropped. Where Pillow misreads an unusual file (an odd count of literal 4-bit pixels in run-length
 * data, a two-colour palette with more than one bit a pixel) this follows the format instead.
 *
 * <p>Neither ImageIO's reader nor TwelveMonkeys' has Pillow's bytes where a colour has 5 or 6 bits (16 bits a pixel, with and
 * without bit fields): they widen these to 8 in another way.
 */
final class BmpDecoder {
    private static final Set<Integer> HEADER_SIZES = Set.of(12, 40, 52, 56, 64, 108, 124);
    private static final int RAW = 0;
    private static final int RLE8 = 1;
    private static final int RLE4 = 2;
    private static final int BITFIELDS = 3;

    private final ByteSource source;
    private long width;
    private long height;
    private boolean topDown;
    private int bits;
    private int compression;
    private long colors;
    private final int[] masks = {0xff0000, 0xff00, 0xff};

    private BmpDecoder(ByteSource source) {
        this.source = source;
    }

    static Image decode(ByteSource source, ReadOptions options) throws IOException {
        return new BmpDecoder(source).decode(options);
    }

    private Image decode(ReadOptions options) throws IOException {
        source.seek(10);
        long dataOffset = source.u32le();
        int headerSize = source.i32le();
        if (!HEADER_SIZES.contains(headerSize)) {
            throw new IOException("its header of " + headerSize + " bytes is unknown");
        }
        readHeader(headerSize);
        byte[] rgb = new byte[ImageDecoder.checkedRgbBytes(width, height, options)];
        boolean indexed = bits == 1 || bits == 4 || bits == 8;
        if (!indexed && bits != 16 && bits != 24 && bits != 32) {
            throw new IOException("its depth of " + bits + " bits a pixel is unknown");
        }
        byte[] table = indexed ? readPalette(headerSize == 12 ? 3 : 4) : new byte[0];
        long pixels = dataOffset == 0 ? source.position() : dataOffset;
        source.seek(pixels);
        switch (compression) {
            case RAW, BITFIELDS -> readRows(rgb, table);
            case RLE4, RLE8 -> {
                if (bits != (compression == RLE4 ? 4 : 8)) {
                    throw new IOException("its run lengths do not go with " + bits + " bits a pixel");
                }
                readRuns(rgb, table);
            }
            default -> throw new IOException("its compression " + compression + " is unknown");
        }
        return new Image((int) width, (int) height, rgb);
    }

    private void readHeader(int size) throws IOException {
        int begin = source.position();
        if (size == 12) {
            width = source.u16le();
            height = source.u16le();
            source.skip(2);
            bits = source.u16le();
        } else {
            width = source.u32le();
            int signedHeight = source.i32le();
            topDown = signedHeight < 0;
            height = Math.abs((long) signedHeight);
            source.skip(2);
            bits = source.u16le();
            compression = source.i32le();
            source.skip(12); // data size, resolution
            colors = source.u32le();
            source.skip(4);
            if (compression == BITFIELDS) {
                // Part of the longer headers, right after the shortest one: the same place in the file.
                for (int i = 0; i < 3; i++) {
                    masks[i] = source.i32le();
                }
            }
        }
        source.seek(Math.max(source.position(), begin + size - 4L));
        if (colors == 0) {
            colors = 1L << Math.min(bits, 32);
        }
    }

    private byte[] readPalette(int entryBytes) throws IOException {
        if (colors > 65536) {
            throw new IOException("its palette of " + colors + " colours is too large");
        }
        byte[] stored = source.bytes(Math.min(colors * entryBytes, source.remaining()));
        byte[] table = new byte[3 * 256];
        for (int i = 0; i < 256 && (i + 1) * entryBytes <= stored.length; i++) {
            table[3 * i] = stored[i * entryBytes + 2];
            table[3 * i + 1] = stored[i * entryBytes + 1];
            table[3 * i + 2] = stored[i * entryBytes];
        }
        return table;
    }

    private void readRows(byte[] rgb, byte[] table) throws IOException {
        int[] shifts = shifts();
        long rowBytes = (width * bits + 7) / 8;
        long padding = (width * bits + 31) / 32 * 4 - rowBytes;
        for (int i = 0; i < height; i++) {
            int from = source.skip(rowBytes);
            readRow(from, rgb, rowStart(i), table, shifts);
            source.skip(Math.min(padding, source.remaining())); // the last row's may be missing
        }
    }

    /** The first byte of a row of the image, rows counted as the file stores them. */
    private int rowStart(int stored) {
        return (int) (3 * width * (topDown ? stored : height - 1 - stored));
    }

    private void readRow(int start, byte[] rgb, int to, byte[] table, int[] shifts) {
        byte[] in = source.array();
        int from = start;
        int at = to;
        for (int x = 0; x < width; x++, at += 3) {
            if (bits <= 8) {
                int bit = x * bits;
                int value = in[start + (bit >> 3)] >> 8 - bits - (bit & 7) & (1 << bits) - 1;
                System.arraycopy(table, 3 * value, rgb, at, 3);
                continue;
            }
            int pixel = in[from] & 0xff | (in[from + 1] & 0xff) << 8;
            if (bits == 16) {
                rgb[at] = channel16(pixel, shifts[0], 31);
                rgb[at + 1] = channel16(pixel, 5, shifts[0] == 11 ? 63 : 31);
                rgb[at + 2] = channel16(pixel, 0, 31);
            } else {
                pixel |= (in[from + 2] & 0xff) << 16;
                pixel |= bits == 32 ? in[from + 3] << 24 : 0;
                rgb[at] = (byte) (pixel >>> shifts[0]);
                rgb[at + 1] = (byte) (pixel >>> shifts[1]);
                rgb[at + 2] = (byte) (pixel >>> shifts[2]);
            }
            from += bits / 8;
        }
    }

    private static byte channel16(int pixel, int shift, int max) {
        return (byte) ((pixel >>> shift & max) * 255 / max);
    }

    /** How far red, green and blue stand from a pixel's lowest bit. */
    private int[] shifts() throws IOException {
        if (bits == 16) {
            boolean sixGreen = masks[0] == 0xf800 && masks[1] == 0x7e0 && masks[2] == 0x1f;
            boolean fiveGreen = masks[0] == 0x7c00 && masks[1] == 0x3e0 && masks[2] == 0x1f;
            if (compression == BITFIELDS && !sixGreen && !fiveGreen) {
                throw new IOException("its bit fields are not 5-6-5 or 5-5-5");
            }
            return compression == BITFIELDS && sixGreen ? new int[] {11, 5, 0} : new int[] {10, 5, 0};
        }
        if (compression != BITFIELDS || bits <= 8 || masks[0] == 0 && masks[1] == 0 && masks[2] == 0) {
            return new int[] {16, 8, 0};
        }
        int[] shifts = new int[3];
        for (int i = 0; i < 3; i++) {
            shifts[i] = Integer.numberOfTrailingZeros(masks[i]);
            if (shifts[i] % 8 != 0 || masks[i] != 0xff << shifts[i] || shifts[i] >= bits) {
                throw new IOException("its bit fields are not whole bytes");
            }
        }
        return shifts;
    }

    /** Run lengths: pairs of a count and a value; a count of 0 escapes to line end, image end, a jump or literals. */
    private void readRuns(byte[] rgb, byte[] table) throws IOException {
        int begin = source.position();
        long total = width * height;
        long done = 0; // pixels from the first stored row on; skipped ones take colour 0
        long x = 0;
        while (done < total) {
            int count = source.u8();
            int value = source.u8();
            if (count > 0) {
                long fits = Math.min(count, Math.max(0, width - x));
                for (int i = 0; i < fits && done < total; i++, done++) {
                    put(rgb, table, done, nibbleOrByte(value, i));
                }
                x += fits;
            } else if (value == 0) {
                long lineEnd = (done + width - 1) / width * width;
                done = skipTo(rgb, table, done, Math.min(lineEnd, total));
                x = 0;
            } else if (value == 1) {
                throw new IOException("its run lengths end early");
            } else if (value == 2) {
                long jump = source.u8();
                jump += source.u8() * width;
                done = skipTo(rgb, table, done, Math.min(done + jump, total));
                x = done % width;
            } else {
                int from = source.skip(bits == 8 ? value : (value + 1) / 2);
                for (int i = 0; i < value && done < total; i++, done++) {
                    byte stored = source.array()[bits == 8 ? from + i : from + i / 2];
                    put(rgb, table, done, nibbleOrByte(stored & 0xff, i));
                }
                x += value;
                if ((source.position() - begin & 1) != 0 && source.remaining() > 0) {
                    source.skip(1); // literals end at an even place
                }
            }
        }
    }

    private int nibbleOrByte(int value, int index) {
        return bits == 8 ? value : index % 2 == 0 ? value >> 4 : value & 15;
    }

    private long skipTo(byte[] rgb, byte[] table, long from, long to) {
        for (long i = from; i < to; i++) {
            put(rgb, table, i, 0);
        }
        return to;
    }

    private void put(byte[] rgb, byte[] table, long pixel, int value) {
        int to = rowStart((int) (pixel / width)) + 3 * (int) (pixel % width);
        System.arraycopy(table, 3 * value, rgb, to, 3);
    }
}
