package io.github.internvl4j.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;

/**
 * The RIFF container of a WebP file (RFC 9649): the canvas, the place of the first image on it, and that image as a
 * WebP file of its own.
 *
 * @param canvasWidth in pixels
 * @param canvasHeight in pixels
 * @param frameLeft of the first image on the canvas, 0 unless animated
 * @param frameTop likewise
 * @param frameWidth likewise, in pixels
 * @param frameHeight likewise
 * @param stillImage a whole file with the first image, not animated
 */
record WebpContainer(
        int canvasWidth,
        int canvasHeight,
        int frameLeft,
        int frameTop,
        int frameWidth,
        int frameHeight,
        byte[] stillImage) {
    private static final int VP8X = fourCc("VP8X");
    private static final int ANMF = fourCc("ANMF");
    private static final int ALPH = fourCc("ALPH");
    private static final int LOSSY = fourCc("VP8 ");
    private static final int LOSSLESS = fourCc("VP8L");
    private static final int HAS_ALPHA = 0x10;
    private static final int ANIMATED = 0x02;

    static WebpContainer read(ByteSource source) throws IOException {
        source.seek(4);
        long size = source.u32le();
        if (size + 8 > source.length()) {
            throw ByteSource.truncated();
        }
        source.seek(12);
        int kind = source.i32le();
        long length = source.u32le();
        if (kind == LOSSY || kind == LOSSLESS) {
            int[] pixels = pixels(source, kind);
            return new WebpContainer(pixels[0], pixels[1], 0, 0, pixels[0], pixels[1], source.array());
        }
        if (kind != VP8X || length < 10) {
            throw new IOException("its first chunk is not an image");
        }
        int begin = source.skip(length + (length & 1));
        byte[] in = source.array();
        int width = 1 + u24(in, begin + 4);
        int height = 1 + u24(in, begin + 7);
        if ((in[begin] & ANIMATED) == 0) {
            return new WebpContainer(width, height, 0, 0, width, height, in);
        }
        return firstFrame(source, width, height);
    }

    private static WebpContainer firstFrame(ByteSource source, int canvasWidth, int canvasHeight) throws IOException {
        while (true) {
            int kind = source.i32le();
            long length = source.u32le();
            int begin = source.skip(length);
            if (kind != ANMF) {
                source.skip(Math.min(length & 1, source.remaining()));
                continue;
            }
            if (length < 16) {
                throw new IOException("its first frame is too short");
            }
            byte[] in = source.array();
            int left = 2 * u24(in, begin);
            int top = 2 * u24(in, begin + 3);
            int width = 1 + u24(in, begin + 6);
            int height = 1 + u24(in, begin + 9);
            if (left + width > canvasWidth || top + height > canvasHeight) {
                throw new IOException("its first frame reaches beyond its canvas");
            }
            byte[] still = stillImage(new ByteSource(source.copy(begin + 16, length - 16)), width, height);
            return new WebpContainer(canvasWidth, canvasHeight, left, top, width, height, still);
        }
    }

    /** A frame's ALPH and VP8, or its VP8L, wrapped as a file. */
    private static byte[] stillImage(ByteSource frame, int width, int height) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.writeBytes(new byte[] {'W', 'E', 'B', 'P', 'V', 'P', '8', 'X', 10, 0, 0, 0, HAS_ALPHA, 0, 0, 0});
        writeU24(body, width - 1);
        writeU24(body, height - 1);
        while (true) {
            int begin = frame.position();
            int kind = frame.i32le();
            long length = frame.u32le();
            frame.skip(length);
            frame.skip(Math.min(length & 1, frame.remaining()));
            if (kind == ALPH || kind == LOSSY || kind == LOSSLESS) {
                body.write(frame.array(), begin, frame.position() - begin);
            }
            if (kind == LOSSY || kind == LOSSLESS) {
                break;
            }
        }
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(new byte[] {'R', 'I', 'F', 'F'});
        writeU24(file, body.size());
        file.write(body.size() >>> 24);
        file.writeBytes(body.toByteArray());
        return file.toByteArray();
    }

    /** Width and height of a bare VP8 or VP8L stream, at the source's position. */
    private static int[] pixels(ByteSource source, int kind) throws IOException {
        if (kind == LOSSY) {
            source.skip(6); // frame tag, start code
            int width = source.u16le() & 0x3fff;
            return new int[] {width, source.u16le() & 0x3fff};
        }
        source.skip(1); // signature
        int packed = source.i32le();
        return new int[] {1 + (packed & 0x3fff), 1 + (packed >>> 14 & 0x3fff)};
    }

    private static int u24(byte[] in, int at) {
        return in[at] & 0xff | (in[at + 1] & 0xff) << 8 | (in[at + 2] & 0xff) << 16;
    }

    private static void writeU24(ByteArrayOutputStream out, int value) {
        out.write(value);
        out.write(value >>> 8);
        out.write(value >>> 16);
    }

    private static int fourCc(String name) {
        return name.charAt(0) | name.charAt(1) << 8 | name.charAt(2) << 16 | name.charAt(3) << 24;
    }
}
