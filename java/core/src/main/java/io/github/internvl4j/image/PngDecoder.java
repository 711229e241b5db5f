package io.github.internvl4j.image;

import java.io.IOException;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * PNG (ISO/IEC 15948), all colour types, depths and interlacing; of an animated one the default image.
 *
 * <p>As in Pillow, the chunks before the pixels must be whole with a correct checksum; the pixels must inflate to all
 * rows; what follows the last row is not looked at. Values become 8-bit RGB as Pillow's {@code convert("RGB")} makes
 * them, see {@link PngPixels}. Not ImageIO's, whose RGB is another for gray, with alpha and without (it takes gray for linear
 * light), for 16 bits, and for an index behind the palette's end: it gives that the last colour, Pillow black. Its raster would leave
 * the rules of {@link PngPixels} to us, and has lost the last case.
 */
final class PngDecoder {
    private static final int IHDR = 0x49484452;
    private static final int PLTE = 0x504c5445;
    private static final int IDAT = 0x49444154;
    private static final int IEND = 0x49454e44;

    /** Of each interlacing pass: first column, first row, step between columns, step between rows. */
    private static final int[][] ADAM7 = {
        {0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}
    };

    private static final int[][] NOT_INTERLACED = {{0, 0, 1, 1}};

    private final ByteSource source;
    private final Inflater inflater;

    /** How many bytes of the current IDAT chunk have not been given to the inflater. */
    private long idatLeft;

    private PngDecoder(ByteSource source, Inflater inflater) {
        this.source = source;
        this.inflater = inflater;
    }

    static Image decode(ByteSource source, ReadOptions options) throws IOException {
        Inflater inflater = new Inflater();
        try {
            return new PngDecoder(source, inflater).decode(options);
        } catch (DataFormatException e) {
            throw new IOException("its compressed pixels are damaged", e);
        } finally {
            inflater.end();
        }
    }

    private Image decode(ReadOptions options) throws IOException, DataFormatException {
        source.seek(8);
        Header header = null;
        byte @Nullable [] palette = null;
        while (true) {
            long length = source.u32be();
            int begin = source.position();
            int type = (int) source.u32be();
            if (type == IDAT) {
                idatLeft = length;
                break;
            }
            if (type == IEND) {
                throw new IOException("it has no pixels");
            }
            int data = source.skip(length);
            checkCrc(begin, type);
            if (type == IHDR) {
                header = readHeader(data, length);
            } else if (type == PLTE) {
                palette = source.copy(data, length);
            }
        }
        if (header == null) {
            throw new IOException("its header chunk is missing");
        }
        int rgbBytes = ImageDecoder.checkedRgbBytes(header.width, header.height, options);
        byte[] rgb = new byte[rgbBytes];
        decodePasses(header, new PngPixels(header.colorType, header.depth, palette), rgb);
        return new Image((int) header.width, (int) header.height, rgb);
    }

    private record Header(long width, long height, int depth, int colorType, boolean interlaced) {}

    private Header readHeader(int at, long length) throws IOException {
        if (length < 13) {
            throw new IOException("its header chunk is too short");
        }
        int back = source.position();
        source.seek(at);
        long width = source.u32be();
        long height = source.u32be();
        int depth = source.u8();
        int colorType = source.u8();
        int compression = source.u8();
        int filter = source.u8();
        int interlace = source.u8();
        source.seek(back);
        if (compression != 0 || filter != 0) {
            throw new IOException("its compression " + compression + " or filter method " + filter + " is unknown");
        }
        return new Header(width, height, depth, colorType, interlace != 0);
    }

    private void checkCrc(int typeBegin, int type) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(source.array(), typeBegin, source.position() - typeBegin);
        if (crc.getValue() != source.u32be()) {
            throw new IOException("the checksum of its chunk " + chunkName(type) + " is wrong");
        }
    }

    private static String chunkName(int type) {
        StringBuilder name = new StringBuilder();
        for (int shift = 24; shift >= 0; shift -= 8) {
            int letter = type >>> shift & 0xff;
            name.append(letter > 32 && letter < 127 ? (char) letter : '?');
        }
        return name.toString();
    }

    private void decodePasses(Header header, PngPixels pixels, byte[] rgb) throws IOException, DataFormatException {
        int width = (int) header.width;
        int height = (int) header.height;
        for (int[] pass : header.interlaced ? ADAM7 : NOT_INTERLACED) {
            int columns = (width - pass[0] + pass[2] - 1) / pass[2];
            int rows = (height - pass[1] + pass[3] - 1) / pass[3];
            if (columns <= 0 || rows <= 0) {
                continue; // a pass without pixels has no bytes either
            }
            int rowBytes = pixels.rowBytes(columns);
            byte[] row = new byte[1 + rowBytes];
            byte[] above = new byte[1 + rowBytes];
            for (int i = 0; i < rows; i++) {
                inflate(row);
                PngFilter.undo(row, above, pixels.filterDistance());
                int y = pass[1] + i * pass[3];
                pixels.toRgb(row, columns, rgb, 3 * (y * width + pass[0]), 3 * pass[2]);
                byte[] swap = above;
                above = row;
                row = swap;
            }
        }
    }

    private void inflate(byte[] row) throws IOException, DataFormatException {
        int have = 0;
        while (have < row.length) {
            int count = inflater.inflate(row, have, row.length - have);
            have += count;
            if (count == 0) {
                if (inflater.finished() || inflater.needsDictionary()) {
                    throw new IOException("its compressed pixels end early");
                }
                nextInput();
            }
        }
    }

    /** Gives the inflater the next stretch of pixel data: what is left of this IDAT chunk, or the next one. */
    private void nextInput() throws IOException {
        while (idatLeft == 0) {
            source.skip(4); // the checksum; a damaged one alone does not stop Pillow either
            idatLeft = source.u32be();
            if ((int) source.u32be() != IDAT) {
                throw new IOException("its compressed pixels end early");
            }
        }
        int count = (int) Math.min(idatLeft, source.remaining());
        if (count == 0) {
            throw ByteSource.truncated();
        }
        inflater.setInput(source.array(), source.skip(count), count);
        idatLeft -= count;
    }
}
