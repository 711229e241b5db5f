package io.github.internvl4j.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.InvalidOptionException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ImageReadTest {
    @TempDir
    Path folder;

    static List<String[]> goldens() throws IOException {
        return TestImages.table("goldens.tsv");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("goldens")
    void equalsPillow(String name, int width, int height, String hash, int upWidth, int upHeight, String upHash)
            throws IOException {
        Image image = Image.read(TestImages.bytes(name), name);
        assertEquals(width + "x" + height, image.width() + "x" + image.height());
        assertEquals(hash, TestImages.sha256(image));

        Image upright =
                Image.read(TestImages.bytes(name), name, ReadOptions.defaults().exifTranspose(true));
        assertEquals(upWidth + "x" + upHeight, upright.width() + "x" + upright.height());
        assertEquals(upHash, TestImages.sha256(upright));
    }

    @Test
    void readsFilesAndStreamsAlike() throws IOException {
        byte[] bytes = TestImages.bytes("lossy.webp");
        Path file = folder.resolve("an image \u00e4.jpg"); // the content decides
        Files.write(file, bytes);
        Image image = Image.read(file);
        assertEquals(image, Image.read(bytes, "memory"));
        assertEquals(image, Image.read(new ByteArrayInputStream(bytes), "stream"));
        assertEquals(image.hashCode(), Image.read(file).hashCode());
        assertNotEquals(image, image.resize(3, 3));
    }

    @Test
    void whatIsNoImageIsNamedWithTheReason() throws IOException {
        Path file = folder.resolve("x.png");
        assertReason(file, "does not exist");
        assertReason(folder, "folder");
        Files.write(file, new byte[0]);
        assertReason(file, "empty");
        Files.writeString(file, "<svg/>");
        assertReason(file, "JPEG, PNG, GIF, BMP, WebP");
        for (String name : List.of("type2-8.png", "progressive.jpg", "plain.gif", "direct24.bmp", "lossy.webp")) {
            byte[] bytes = TestImages.bytes(name);
            for (int length : new int[] {4, 12, 20, 60, bytes.length / 2, bytes.length - 40}) {
                Files.write(file, Arrays.copyOf(bytes, length));
                assertReason(file, "");
            }
        }
        InputStream broken = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("the line is dead");
            }
        };
        ImageException e = assertThrows(ImageException.class, () -> Image.read(broken, "a stream"));
        assertTrue(String.valueOf(e.getMessage()).contains("a stream cannot be read: the line is dead"));
    }

    @Test
    void aJpegWithoutItsEndIsTruncated() throws IOException {
        byte[] bytes = TestImages.bytes("ycc-2x2.jpg");
        byte[] noEnd = Arrays.copyOf(bytes, bytes.length - 2);
        ImageException e = assertThrows(ImageException.class, () -> Image.read(noEnd, "x"));
        assertTrue(String.valueOf(e.getMessage()).contains("truncated"), e.getMessage());
    }

    @Test
    void hugeClaimsAreRefusedBeforeMemoryIsTaken() throws IOException {
        byte[] png = TestImages.bytes("type2-8.png");
        ByteBuffer.wrap(png).putInt(16, 1_000_000).putInt(20, 1_000_000);
        CRC32 crc = new CRC32();
        crc.update(png, 12, 17);
        ByteBuffer.wrap(png).putInt(29, (int) crc.getValue());
        byte[] jpeg = TestImages.bytes("gray.jpg");
        int frame = indexOf(jpeg, 0xff, 0xc0);
        ByteBuffer.wrap(jpeg).putInt(frame + 5, -1);
        byte[] gif = TestImages.bytes("plain.gif");
        ByteBuffer.wrap(gif).putInt(6, -1);
        byte[] bmp = TestImages.bytes("direct24.bmp");
        ByteBuffer.wrap(bmp).putLong(18, 0x0000100000001000L);
        for (byte[] bytes : List.of(png, jpeg, gif, bmp)) {
            ImageException e = assertThrows(ImageException.class, () -> Image.read(bytes, "x"));
            assertTrue(String.valueOf(e.getMessage()).contains("more than the limit"), e.getMessage());
        }
        ReadOptions small = ReadOptions.defaults().maxPixels(100);
        for (String name : List.of("type2-8.png", "gray.jpg", "plain.gif", "direct24.bmp", "lossless.webp")) {
            assertThrows(ImageException.class, () -> Image.read(TestImages.bytes(name), name, small));
        }
        assertThrows(InvalidOptionException.class, () -> ReadOptions.defaults().maxPixels(0));
        assertThrows(InvalidOptionException.class, () -> ReadOptions.defaults().maxPixels(Integer.MAX_VALUE));
    }

    @Test
    void takesPixelsAsTheyAre() {
        byte[] rgb = {1, 2, 3, (byte) 200, 0, (byte) 255};
        Image image = Image.ofRgb(2, 1, rgb);
        rgb[0] = 9;
        image.rgb()[0] = 9;
        assertEquals(0x010203, image.pixel(0, 0));
        assertEquals(0xc800ff, image.pixel(1, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> image.pixel(2, 0));
        assertThrows(InvalidOptionException.class, () -> Image.ofRgb(2, 2, rgb));
        assertThrows(InvalidOptionException.class, () -> Image.ofRgb(0, 1, new byte[0]));
        assertThrows(InvalidOptionException.class, () -> Image.ofRgb(65536, 65536, new byte[0]));
    }

    @Test
    void takesBufferedImagesWithoutColourConversion() {
        for (int type : new int[] {
            BufferedImage.TYPE_INT_RGB,
            BufferedImage.TYPE_INT_ARGB,
            BufferedImage.TYPE_3BYTE_BGR,
            BufferedImage.TYPE_4BYTE_ABGR,
            BufferedImage.TYPE_INT_BGR
        }) {
            BufferedImage image = new BufferedImage(2, 1, type);
            image.setRGB(0, 0, 0x80102030);
            image.setRGB(1, 0, 0xfff0e0d0);
            assertArrayEquals(
                    new byte[] {0x10, 0x20, 0x30, (byte) 0xf0, (byte) 0xe0, (byte) 0xd0},
                    Image.of(image).rgb());
        }
        BufferedImage gray = new BufferedImage(1, 1, BufferedImage.TYPE_BYTE_GRAY);
        gray.getRaster().setSample(0, 0, 0, 100);
        assertEquals(0x646464, Image.of(gray).pixel(0, 0));
        BufferedImage deep = new BufferedImage(1, 1, BufferedImage.TYPE_USHORT_GRAY);
        deep.getRaster().setSample(0, 0, 0, 0x6432);
        assertEquals(0x646464, Image.of(deep).pixel(0, 0));
        BufferedImage indexed = new BufferedImage(1, 1, BufferedImage.TYPE_BYTE_INDEXED);
        indexed.setRGB(0, 0, 0xffff0000);
        assertEquals(0xff0000, Image.of(indexed).pixel(0, 0));
        BufferedImage part = new BufferedImage(4, 4, BufferedImage.TYPE_INT_RGB);
        part.setRGB(2, 1, 0xabcdef);
        assertEquals(0xabcdef, Image.of(part.getSubimage(2, 1, 1, 1)).pixel(0, 0));
    }

    @Test
    void interpolatingRowsTwiceChangesNothing() {
        // The rule behind JpegUpsampling: rows that another decoder has interpolated already stay as they are.
        Random random = new Random(3);
        for (int turn = 0; turn < 2000; turn++) {
            int height = 1 + random.nextInt(9);
            int spread = 1 + random.nextInt(4);
            byte[] pixels = new byte[height];
            int value = 100;
            for (int y = 0; y < height; y += 2) {
                value += random.nextInt(2 * spread + 1) - spread;
                pixels[y] = (byte) value;
                if (y + 1 < height) {
                    pixels[y + 1] = (byte) value;
                }
            }
            JpegUpsampling.interpolateRows(pixels, 1, height, 1, 0);
            byte[] once = pixels.clone();
            JpegUpsampling.interpolateRows(pixels, 1, height, 1, 0);
            assertArrayEquals(once, pixels);
        }
    }

    private static int indexOf(byte[] bytes, int first, int second) {
        for (int i = 0; ; i++) {
            if ((bytes[i] & 0xff) == first && (bytes[i + 1] & 0xff) == second) {
                return i;
            }
        }
    }

    private static void assertReason(Path file, String reason) {
        ImageException e = assertThrows(ImageException.class, () -> Image.read(file));
        String message = String.valueOf(e.getMessage());
        assertTrue(message.contains(file.toString()) && message.contains(reason), message);
    }
}
