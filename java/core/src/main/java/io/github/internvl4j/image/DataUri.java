package io.github.internvl4j.image;

import io.github.internvl4j.error.PromptException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import java.util.Objects;

/** A file that stands in the text itself: {@code data:image/png;base64,...} or, percent-encoded, {@code data:image/gif,...}. */
public final class DataUri {
    private static final String SCHEME = "data:";
    private static final String BASE64 = ";base64";

    private DataUri() {}

    /** Whether a text is meant to be one. */
    public static boolean is(String text) {
        return Objects.requireNonNull(text, "text").regionMatches(true, 0, SCHEME, 0, SCHEME.length());
    }

    /**
     * The file's bytes.
     *
     * @param name what messages call it, since it may be long
     * @throws PromptException if the text is no such URI
     */
    public static byte[] bytes(String text, String name) {
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(name, "name");
        int comma = text.indexOf(',');
        if (comma < 0 || !is(text)) {
            throw new PromptException(name + ": expected data:TYPE;base64, and the file behind the comma");
        }
        byte[] bytes = unescaped(text, comma + 1, name);
        String type = text.substring(SCHEME.length(), comma).strip().toLowerCase(Locale.ROOT);
        return type.endsWith(BASE64) ? base64(bytes, name) : bytes;
    }

    /** Line breaks are passed over, '-' and '_' stand for '+' and '/', and the padding may be missing. */
    private static byte[] base64(byte[] letters, String name) {
        for (int i = 0; i < letters.length; i++) {
            letters[i] = letters[i] == '-' ? (byte) '+' : letters[i] == '_' ? (byte) '/' : letters[i];
        }
        for (byte letter : letters) {
            if (!Character.isLetterOrDigit(letter) && "+/= \t\r\n".indexOf(letter) < 0) {
                throw new PromptException(name + ": the base64 has a byte that is none of its letters: "
                        + (letter > ' ' ? "'" + (char) letter + "'" : String.valueOf(letter & 0xff)));
            }
        }
        try {
            return Base64.getMimeDecoder().decode(letters);
        } catch (IllegalArgumentException e) {
            throw new PromptException(name + ": the base64 is cut off", e);
        }
    }

    private static byte[] unescaped(String text, int from, String name) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length() - from);
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '%') {
                bytes.write(escape(text, i, name));
                i += 2;
            } else if (c < 0x80) {
                bytes.write(c);
            } else {
                bytes.writeBytes(String.valueOf(c).getBytes(StandardCharsets.UTF_8));
            }
        }
        return bytes.toByteArray();
    }

    private static int escape(String text, int at, String name) {
        int high = at + 2 < text.length() ? Character.digit(text.charAt(at + 1), 16) : -1;
        int low = high < 0 ? -1 : Character.digit(text.charAt(at + 2), 16);
        if (low < 0) {
            throw new PromptException(name + ": expected two hexadecimal digits behind the % at character " + (at + 1));
        }
        return high << 4 | low;
    }
}
