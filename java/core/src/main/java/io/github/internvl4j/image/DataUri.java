package io.github.internvl4j.server.openai;

import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.error.VideoException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A file that stands in the text itself: {@code data:image/png;base64,...} or, percent-encoded, {@code data:image/gif,...}. */
public final class DataUri {
    private static final String SCHEME = "data:";
    private static final String BASE64 = ";base64";

    private DataUri() {}

    /** Whether a text is meant to be one. */
    public static boolean is(String text) {
        return text.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
    }

    /**
     * The file's bytes.
     *
     * @throws PromptException if the text is no such URI
     */
    public static byte[] bytes(String text) {
        int comma = text.indexOf(',');
        if (comma < 0) {
            throw new PromptException(
                    JsonText.shortened(text) + ": expected data:TYPE;base64, and the file behind the comma");
        }
        byte[] bytes = unescaped(text, comma + 1);
        String type = text.substring(SCHEME.length(), comma).strip().toLowerCase(Locale.ROOT);
        return type.endsWith(BASE64) ? base64(bytes, text) : bytes;
    }

    /**
     * Puts the file's bytes into a temporary file, for whoever can only read one of those, and removes it afterwards.
     *
     * @param use what is done with it
     * @throws PromptException if the text is no such URI
     * @throws VideoException if the temporary file cannot be written
     */
    public static <T> T asFile(String text, Function<Path, T> use) {
        byte[] bytes = bytes(text);
        Path copy = null;
        try {
            copy = Files.createTempFile("internvl4j-video", "");
            Files.write(copy, bytes);
            return use.apply(copy);
        } catch (IOException e) {
            throw new VideoException(
                    JsonText.shortened(text) + ": cannot be written to a temporary file: " + e.getMessage(), e);
        } finally {
            delete(copy);
        }
    }

    private static void delete(@Nullable Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            file.toFile().deleteOnExit();
        }
    }

    /** Line breaks are passed over, '-' and '_' stand for '+' and '/', and the padding may be missing. */
    private static byte[] base64(byte[] letters, String text) {
        for (int i = 0; i < letters.length; i++) {
            letters[i] = letters[i] == '-' ? (byte) '+' : letters[i] == '_' ? (byte) '/' : letters[i];
        }
        for (byte letter : letters) {
            if (!Character.isLetterOrDigit(letter) && "+/= \t\r\n".indexOf(letter) < 0) {
                throw new PromptException(
                        JsonText.shortened(text) + ": the base64 has a byte that is none of its letters: "
                                + (letter > ' ' ? "'" + (char) letter + "'" : String.valueOf(letter & 0xff)));
            }
        }
        try {
            return Base64.getMimeDecoder().decode(letters);
        } catch (IllegalArgumentException e) {
            throw new PromptException(JsonText.shortened(text) + ": the base64 is cut off", e);
        }
    }

    private static byte[] unescaped(String text, int from) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length() - from);
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '%') {
                bytes.write(escape(text, i));
                i += 2;
            } else if (c < 0x80) {
                bytes.write(c);
            } else {
                bytes.writeBytes(String.valueOf(c).getBytes(StandardCharsets.UTF_8));
            }
        }
        return bytes.toByteArray();
    }

    private static int escape(String text, int at) {
        int high = at + 2 < text.length() ? Character.digit(text.charAt(at + 1), 16) : -1;
        int low = high < 0 ? -1 : Character.digit(text.charAt(at + 2), 16);
        if (low < 0) {
            throw new PromptException(JsonText.shortened(text)
                    + ": expected two hexadecimal digits behind the % at character " + (at + 1));
        }
        return high << 4 | low;
    }
}
