package io.github.internvl4j.evaluate;

import io.github.internvl4j.image.Image;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A sample's picture, read when it is needed. */
public interface Picture {
    /** Where it comes from, for messages: a file, or a row and its column. */
    String name();

    /**
     * The encoded picture: JPEG, PNG, ...
     *
     * @throws IOException if it is missing or cannot be read
     */
    byte[] read() throws IOException;

    /**
     * Its pixels.
     *
     * @throws IOException if it is missing or cannot be read
     * @throws io.github.internvl4j.error.ImageException if it is no image
     */
    default Image image() throws IOException {
        return Image.read(read(), name());
    }

    /** A file. */
    static Picture of(Path file) {
        return new Picture() {
            @Override
            public String name() {
                return file.toString();
            }

            @Override
            public byte[] read() throws IOException {
                if (!Files.isRegularFile(file)) {
                    throw new IOException("there is no picture " + file);
                }
                return Files.readAllBytes(file);
            }
        };
    }

    /**
     * One that is in memory.
     *
     * @param name as {@link #name} has it
     */
    static Picture of(String name, byte[] encoded) {
        return new Picture() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public byte[] read() {
                return encoded;
            }
        };
    }
}
