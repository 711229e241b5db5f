package io.github.internvl4j.image;

import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What the markers of a JPEG file say (ITU-T T.81, annex B), and that the file reaches its end-of-image marker: one
 * that does not is truncated, which decoders gloss over.
 *
 * @param width in pixels
 * @param height in pixels
 * @param colors how the components are to be understood
 * @param halfRows the components, from 0, that are stored with half the image's rows and all its columns
 * @param arithmetic whether the data are arithmetic-coded, which only some runtimes' libjpeg can read
 */
record JpegHeader(int width, int height, Colors colors, List<Integer> halfRows, boolean arithmetic) {
    /** The colour spaces that libjpeg tells apart. */
    enum Colors {
        GRAY(1),
        RGB(3),
        YCBCR(3),
        CMYK(4),
        YCCK(4);

        final int components;

        Colors(int components) {
            this.components = components;
        }
    }

    /** Reads the markers from the start of a file to its end-of-image marker. */
    static JpegHeader read(ByteSource source) throws IOException {
        return new Reader(source).read();
    }

    private static final class Reader {
        private static final int SOI = 0xd8;
        private static final int EOI = 0xd9;
        private static final int SOS = 0xda;
        private static final int APP0 = 0xe0;
        private static final int APP14 = 0xee;

        private final ByteSource source;
        private boolean jfif;
        private int adobeTransform = -1;
        private int width;
        private int height;
        private int[] componentIds = {};
        private int[] sampling = {};
        private boolean scans;
        private boolean arithmetic;

        Reader(ByteSource source) {
            this.source = source;
        }

        JpegHeader read() throws IOException {
            source.seek(2);
            int marker = nextMarker();
            for (; marker != EOI; marker = nextMarker()) {
                if (marker == 0x01 || marker >= 0xd0 && marker <= SOI) {
                    continue; // no length follows
                }
                int length = source.u16be();
                if (length < 2) {
                    throw new IOException("a marker's length is impossible");
                }
                int begin = source.skip(length - 2L);
                if (isFrame(marker)) {
                    readFrame(begin, length - 2);
                    arithmetic = marker >= 0xc9;
                } else if (marker == APP0 && length >= 16 && source.startsWith(begin, 'J', 'F', 'I', 'F', 0)) {
                    jfif = true;
                } else if (marker == APP14 && length >= 14 && source.startsWith(begin, 'A', 'd', 'o', 'b', 'e')) {
                    adobeTransform = source.array()[begin + 11] & 0xff;
                } else if (marker == SOS) {
                    scans = true;
                }
            }
            if (componentIds.length == 0 || !scans) {
                throw new IOException("it holds no image");
            }
            return new JpegHeader(width, height, colors(), halfRows(), arithmetic);
        }

        /** Moves behind the next marker, over compressed data and padding. */
        private int nextMarker() throws IOException {
            while (true) {
                if (source.u8() != 0xff) {
                    continue;
                }
                int code = source.u8();
                while (code == 0xff) {
                    code = source.u8();
                }
                if (code != 0) { // an 0xff in the data is followed by 0
                    return code;
                }
            }
        }

        private static boolean isFrame(int marker) {
            return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        }

        private void readFrame(int begin, int length) throws IOException {
            if (componentIds.length != 0) {
                throw new IOException("it holds two frames");
            }
            byte[] in = source.array();
            if (length < 6 || length < 6 + 3 * (in[begin + 5] & 0xff)) {
                throw new IOException("its frame header is too short");
            }
            if (in[begin] != 8) {
                throw new IOException("its depth of " + (in[begin] & 0xff) + " bits is not supported, only 8");
            }
            height = (in[begin + 1] & 0xff) << 8 | in[begin + 2] & 0xff;
            width = (in[begin + 3] & 0xff) << 8 | in[begin + 4] & 0xff;
            componentIds = new int[in[begin + 5] & 0xff];
            sampling = new int[componentIds.length];
            for (int i = 0; i < componentIds.length; i++) {
                componentIds[i] = in[begin + 6 + 3 * i] & 0xff;
                sampling[i] = in[begin + 7 + 3 * i] & 0xff;
            }
        }

        private List<Integer> halfRows() {
            int across = IntStream.of(sampling).map(s -> s >> 4).max().orElse(0);
            int down = IntStream.of(sampling).map(s -> s & 15).max().orElse(0);
            return IntStream.range(0, sampling.length)
                    .filter(i -> sampling[i] >> 4 == across && 2 * (sampling[i] & 15) == down)
                    .boxed()
                    .toList();
        }

        /** libjpeg's rules, jdapimin.c default_decompress_parms. */
        private Colors colors() throws IOException {
            switch (componentIds.length) {
                case 1:
                    return Colors.GRAY;
                case 3:
                    if (jfif) {
                        return Colors.YCBCR;
                    }
                    if (adobeTransform >= 0) {
                        return adobeTransform == 0 ? Colors.RGB : Colors.YCBCR;
                    }
                    boolean namedRgb = componentIds[0] == 'R' && componentIds[1] == 'G' && componentIds[2] == 'B';
                    return namedRgb ? Colors.RGB : Colors.YCBCR;
                case 4:
                    return adobeTransform <= 0 ? Colors.CMYK : Colors.YCCK;
                default:
                    throw new IOException("its " + componentIds.length + " components are not supported");
            }
        }
    }
}
