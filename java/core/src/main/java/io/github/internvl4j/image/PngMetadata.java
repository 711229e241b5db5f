package io.github.internvl4j.image;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * What a PNG says beside its pixels, as Pillow's {@code info} holds it: EXIF from its own chunk, or else from the text that
 * ImageMagick wrote before there was one, "Raw profile type exif"; and XMP. Of chunks with the same keyword the last counts.
 */
final class PngMetadata {
    private static final int EXIF = 0x65584966;
    private static final int TEXT = 0x74455874;
    private static final int COMPRESSED_TEXT = 0x7a545874;
    private static final int INTERNATIONAL_TEXT = 0x69545874;
    private static final int PIXELS = 0x49444154;
    private static final int ANIMATION = 0x6163544c;
    private static final int NEXT_FRAME = 0x6663544c;
    private static final int END = 0x49454e44;

    private static final byte[] PREFIX = {'E', 'x', 'i', 'f', 0, 0};
    private static final String RAW_PROFILE = "Raw profile type exif";

    /** Pillow inflates no more of a text. */
    private static final int MAX_TEXT = 1 << 20;

    private final Map<String, String> texts = new HashMap<>();
    private byte @Nullable [] exif;

    private PngMetadata() {}

    /** Reads the chunks, before the pixels and behind them, as far as they are whole. */
    static PngMetadata read(byte[] file) {
        PngMetadata metadata = new PngMetadata();
        ByteSource source = new ByteSource(file);
        boolean animated = false;
        boolean pixels = false;
        try {
            source.seek(8);
            while (true) {
                long length = source.u32be();
                int type = (int) source.u32be();
                if (type == END || type == NEXT_FRAME && animated && pixels) {
                    break;
                }
                byte[] data = source.bytes(length);
                source.skip(4);
                animated |= type == ANIMATION;
                pixels |= type == PIXELS;
                metadata.add(type, data);
            }
        } catch (EOFException e) {
            // What came before counts.
        }
        return metadata;
    }

    /** The EXIF data, from their TIFF header; null if there are none. */
    byte @Nullable [] exif() {
        byte[] found = exif;
        String profile = texts.get(RAW_PROFILE);
        if (found == null && profile != null) {
            found = bytes(profile);
        }
        while (found != null && Arrays.equals(found, 0, Math.min(6, found.length), PREFIX, 0, 6)) {
            found = Arrays.copyOfRange(found, 6, found.length);
        }
        return found;
    }

    /** The XMP packet; null if there is none. */
    @Nullable
    String xmp() {
        return texts.get("XML:com.adobe.xmp");
    }

    private void add(int type, byte[] data) {
        switch (type) {
            case EXIF -> exif = data;
            case TEXT -> addText(data);
            case COMPRESSED_TEXT -> addCompressed(data);
            case INTERNATIONAL_TEXT -> addInternational(data);
            default -> {}
        }
    }

    private void addText(byte[] data) {
        int end = zero(data, 0);
        byte[] text = Arrays.copyOfRange(data, Math.min(end + 1, data.length), data.length);
        String keyword = latin1(data, 0, end);
        if (keyword.equals("exif")) {
            exif = text;
        }
        texts.put(keyword, latin1(text, 0, text.length));
    }

    private void addCompressed(byte[] data) {
        int end = zero(data, 0);
        if (end + 1 < data.length && data[end + 1] == 0) {
            byte[] text = inflate(data, end + 2);
            texts.put(latin1(data, 0, end), text == null ? "" : latin1(text, 0, text.length));
        }
    }

    private void addInternational(byte[] data) {
        int end = zero(data, 0);
        int language = zero(data, end + 3);
        int translated = zero(data, language + 1);
        if (translated >= data.length) {
            return;
        }
        byte[] text = Arrays.copyOfRange(data, translated + 1, data.length);
        if (data[end + 1] != 0) {
            text = data[end + 2] == 0 ? inflate(data, translated + 1) : null;
        }
        if (text != null) {
            texts.put(latin1(data, 0, end), new String(text, StandardCharsets.UTF_8));
        }
    }

    /** Three lines of heading, then pairs of hexadecimal digits; null if they are none. */
    private static byte @Nullable [] bytes(String profile) {
        String[] lines = profile.split("\n", 4);
        String digits = lines.length < 4 ? "" : lines[3].replaceAll("\\s", "");
        byte[] bytes = new byte[digits.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            int high = Character.digit(digits.charAt(2 * i), 16);
            int low = Character.digit(digits.charAt(2 * i + 1), 16);
            if (high < 0 || low < 0) {
                return null;
            }
            bytes[i] = (byte) (16 * high + low);
        }
        return digits.length() % 2 == 0 ? bytes : null;
    }

    /** As much as there is; null if it is damaged, or too much. */
    private static byte @Nullable [] inflate(byte[] data, int from) {
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(data, from, data.length - from);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] chunk = new byte[8192];
            for (int count = inflater.inflate(chunk); count > 0; count = inflater.inflate(chunk)) {
                out.write(chunk, 0, count);
                if (out.size() > MAX_TEXT) {
                    return null;
                }
            }
            return out.toByteArray();
        } catch (DataFormatException e) {
            return null;
        } finally {
            inflater.end();
        }
    }

    /** Where the next zero is, or the end. */
    private static int zero(byte[] data, int from) {
        for (int i = from; i < data.length; i++) {
            if (data[i] == 0) {
                return i;
            }
        }
        return data.length;
    }

    private static String latin1(byte[] data, int from, int end) {
        return new String(data, from, end - from, StandardCharsets.ISO_8859_1);
    }
}
