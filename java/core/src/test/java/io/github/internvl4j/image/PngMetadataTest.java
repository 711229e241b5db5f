package io.github.internvl4j.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;

/** A PNG of 5x3 pixels is turned on its side where Pillow 12.3's exif_transpose does so; these are its answers. */
class PngMetadataTest {
    private static final String RAW = "Raw profile type exif";
    private static final String XMP = "XML:com.adobe.xmp";
    private static final byte[] PREFIX = {'E', 'x', 'i', 'f', 0, 0};
    private static final byte[] TURNED = join(PREFIX, tiff(6, ByteOrder.BIG_ENDIAN));
    private static final byte[] NO_ORIENTATION = {'M', 'M', 0, '*', 0, 0, 0, 8, 0, 0, 0, 0, 0, 0};

    @Test
    void rawProfilesAreReadFromEveryKindOfText() {
        assertTurned(true, compressed(RAW, profile(TURNED)));
        assertTurned(true, chunk("tEXt", ascii(RAW + "\0"), profile(TURNED)));
        assertTurned(true, chunk("iTXt", ascii(RAW + "\0\0\0\0\0"), profile(TURNED)));
        assertTurned(true, chunk("iTXt", ascii(RAW + "\0\1\0\0\0"), deflate(profile(TURNED))));
        assertTurned(true, compressed(RAW, profile(tiff(8, ByteOrder.LITTLE_ENDIAN))));
        assertTurned(true, compressed(RAW, profile(join(PREFIX, TURNED))));
        assertTurned(
                true,
                chunk(
                        "tEXt",
                        ascii(RAW + "\0"
                                + new String(profile(TURNED), StandardCharsets.US_ASCII).replace("\n", "\r\n"))));
        assertTurned(true, chunk("tEXt", ascii("exif\0"), TURNED));
        assertTurned(false, compressed("Raw profile type APP1", profile(TURNED)));
        assertEquals("Image[3x5]", upright(png(new byte[0], compressed(RAW, profile(TURNED)))));
    }

    @Test
    void exifOfItsOwnComesFirstAndXmpLast() {
        byte[] raw = compressed(RAW, profile(TURNED));
        byte[] xmp = chunk("iTXt", ascii(XMP + "\0\0\0\0\0<tiff:Orientation>6</tiff:Orientation>"));
        assertTurned(false, raw, chunk("eXIf", tiff(1, ByteOrder.BIG_ENDIAN)));
        assertTurned(false, raw, chunk("eXIf", NO_ORIENTATION));
        assertTurned(true, compressed(RAW, profile(tiff(1, ByteOrder.BIG_ENDIAN))), raw);
        assertTurned(true, compressed(RAW, profile(NO_ORIENTATION)), xmp);
        assertTurned(true, chunk("zTXt", ascii(RAW + "\0\00012345678")), xmp);
        assertTurned(true, chunk("iTXt", ascii(XMP + "\0\0\0\0\0<x tiff:Orientation=\"6\"/>")));
        assertTurned(false, chunk("iTXt", ascii(XMP + "\0\0\0\0\0<x tiff:Orientation = \"6\"/>")));
    }

    @Test
    void damagedProfilesSayNothing() {
        assertTurned(false, chunk("zTXt", ascii(RAW + "\0\00012345678")));
        assertTurned(false, compressed(RAW, ascii("exif")));
        byte[] whole = deflate(profile(TURNED));
        assertTurned(true, chunk("zTXt", ascii(RAW + "\0\0"), Arrays.copyOf(whole, whole.length - 6)));
        // At these Pillow throws; the pixels are sound, though.
        assertTurned(false, compressed(RAW, ascii("\nexif\n 10\nzzzz\n")));
        assertTurned(false, compressed(RAW, ascii("\nexif\n 10\n123\n")));
        assertTurned(false, compressed(RAW, profile(ascii("Exif\0\0hello there"))));
        assertTurned(false, chunk("zTXt", ascii(RAW + "\0\1"), whole));
        assertTurned(false, chunk("iTXt", ascii(RAW)));
        assertTurned(false, chunk("iTXt", ascii(RAW + "\0\0")));
        assertTurned(false, chunk("tEXt", new byte[0]));
        // Inflates to more than Pillow takes.
        assertTurned(false, compressed(RAW, join(profile(TURNED), new byte[2 << 20])));
    }

    private static void assertTurned(boolean turned, byte[]... chunks) {
        assertEquals(turned ? "Image[3x5]" : "Image[5x3]", upright(png(join(chunks), new byte[0])));
    }

    private static String upright(byte[] png) {
        return Image.read(png, "x", ReadOptions.defaults().exifTranspose(true)).toString();
    }

    private static byte[] png(byte[] before, byte[] after) {
        byte[] header = ByteBuffer.allocate(13)
                .putInt(5)
                .putInt(3)
                .put((byte) 8)
                .put((byte) 2)
                .array();
        return join(
                new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'},
                chunk("IHDR", header),
                before,
                chunk("IDAT", deflate(new byte[3 * 16])),
                after,
                chunk("IEND"));
    }

    private static byte[] tiff(int orientation, ByteOrder order) {
        return ByteBuffer.allocate(26)
                .order(order)
                .put(ascii(order == ByteOrder.BIG_ENDIAN ? "MM" : "II"))
                .putShort((short) 42)
                .putInt(8)
                .putShort((short) 1)
                .putShort((short) 0x112)
                .putShort((short) 3)
                .putInt(1)
                .putShort((short) orientation)
                .array();
    }

    /** As ImageMagick writes it. */
    private static byte[] profile(byte[] data) {
        String digits = HexFormat.of().formatHex(data).replaceAll("(.{72})", "$1\n");
        return ascii("\nexif\n" + String.format("%8d", data.length) + "\n" + digits + "\n");
    }

    private static byte[] compressed(String keyword, byte[] text) {
        return chunk("zTXt", ascii(keyword + "\0\0"), deflate(text));
    }

    private static byte[] chunk(String type, byte[]... parts) {
        byte[] data = join(parts);
        byte[] named = join(ascii(type), data);
        CRC32 sum = new CRC32();
        sum.update(named);
        return ByteBuffer.allocate(data.length + 12)
                .putInt(data.length)
                .put(named)
                .putInt((int) sum.getValue())
                .array();
    }

    private static byte[] deflate(byte[] data) {
        Deflater deflater = new Deflater();
        deflater.setInput(data);
        deflater.finish();
        byte[] out = new byte[data.length + 64];
        int length = deflater.deflate(out);
        deflater.end();
        return Arrays.copyOf(out, length);
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
