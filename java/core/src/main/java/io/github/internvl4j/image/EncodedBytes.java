package io.github.internvl4j.image;

import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.host.FileProblems;
import io.github.internvl4j.host.Shortage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** The bytes of an image file, read whole, with a limit on their number. */
final class EncodedBytes {
    /** No image within the pixel limits needs more, short of padding. */
    private static final int MAX_BYTES = 1 << 30;

    private EncodedBytes() {}

    static byte[] of(Path file) {
        if (Files.isDirectory(file)) {
            throw new ImageException(file + " is a folder, not an image");
        }
        try (InputStream stream = Files.newInputStream(file)) {
            long size = Files.size(file);
            if (size > MAX_BYTES) {
                throw tooLarge(file.toString());
            }
            return of(stream, file.toString());
        } catch (IOException e) {
            throw new ImageException(FileProblems.describe(file, "opened", e), e);
        }
    }

    static byte[] of(InputStream stream, String name) {
        try {
            byte[] bytes = stream.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw tooLarge(name);
            }
            return bytes;
        } catch (IOException e) {
            throw new ImageException(name + " cannot be read: " + FileProblems.reason(e), e);
        } catch (OutOfMemoryError e) {
            throw new ImageException(name + " cannot be read: " + Shortage.of(e), e);
        }
    }

    private static ImageException tooLarge(String name) {
        return new ImageException(name + " is too large for an image: more than " + MAX_BYTES + " bytes");
    }
}
