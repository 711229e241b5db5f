package io.github.internvl4j.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import io.github.internvl4j.image.Image;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;

/** Images of messages. They bring their bytes: nothing is fetched here, and no file of this machine read for who names it. */
final class Pictures {
    private static final String SCHEME = "data";
    private static final String BASE64 = ";base64";

    private Pictures() {}

    /**
     * Looks where an image is.
     *
     * @throws UnsupportedFeatureException if it is elsewhere
     */
    static void requireHere(dev.langchain4j.data.image.Image image) {
        URI url = image.url();
        if (image.base64Data() == null && url != null && !SCHEME.equalsIgnoreCase(url.getScheme())) {
            String where = url.getScheme() == null ? "a relative URL" : "a URL of " + url.getScheme() + ":";
            throw new UnsupportedFeatureException("an image is at " + where
                    + ", which InternVL4J does not support: it opens none; read the picture and send its bytes, as"
                    + " ImageContent.from(base64, mimeType) or ImageContent.from(path, mimeType)");
        }
    }

    /**
     * Decodes an image that is here; its content decides what it is, not its MIME type.
     *
     * @param name what messages call it
     * @throws InvalidRequestException if its text is no file's
     */
    static Image image(dev.langchain4j.data.image.Image image, String name) {
        if (image.base64Data() != null) {
            return Image.read(base64(image.base64Data(), name), name);
        }
        if (image.url() == null) {
            throw new InvalidRequestException(name + " has neither data nor a URL");
        }
        return Image.read(data(image.url().getRawSchemeSpecificPart(), name), name);
    }

    /** Of {@code image/png;base64,...} or, percent-encoded, {@code image/gif,...}. */
    private static byte[] data(String text, String name) {
        int comma = text.indexOf(',');
        if (comma < 0) {
            throw new InvalidRequestException(name + " is a data: URL without a comma, expected data:TYPE;base64,...");
        }
        byte[] bytes = unescaped(text.substring(comma + 1));
        String type = text.substring(0, comma).strip().toLowerCase(Locale.ROOT);
        return type.endsWith(BASE64) ? base64(new String(bytes, StandardCharsets.ISO_8859_1), name) : bytes;
    }

    /** White space is passed over, '-' and '_' stand for '+' and '/', and the padding may be missing. */
    private static byte[] base64(String text, String name) {
        String plain = text.replaceAll("\\s+", "").replace('-', '+').replace('_', '/');
        try {
            return Base64.getDecoder().decode(plain);
        } catch (IllegalArgumentException e) {
            throw new InvalidRequestException(name + " is no base64: " + e.getMessage(), e);
        }
    }

    /** A URL has two hexadecimal digits behind each %, or it would be none. */
    private static byte[] unescaped(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
        byte[] letters = text.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < letters.length; i++) {
            if (letters[i] == '%') {
                bytes.write(Character.digit(letters[i + 1], 16) << 4 | Character.digit(letters[i + 2], 16));
                i += 2;
            } else {
                bytes.write(letters[i]);
            }
        }
        return bytes.toByteArray();
    }
}
