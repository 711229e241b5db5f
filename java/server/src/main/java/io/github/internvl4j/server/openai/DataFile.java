package io.github.internvl4j.server.openai;

import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.error.VideoException;
import io.github.internvl4j.image.DataUri;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What stands in a {@code data:} URI, as a file for whoever can only read one. */
public final class DataFile {
    private DataFile() {}

    /**
     * Puts it into a temporary file, and removes that afterwards.
     *
     * @param use what is done with the file
     * @throws PromptException if the text is no such URI
     * @throws VideoException if the temporary file cannot be written, or {@code use} throws it; the text's beginning stands for the file
     */
    public static <T> T use(String text, Function<Path, T> use) {
        String name = JsonText.shortened(text);
        byte[] bytes = DataUri.bytes(text, name);
        Path copy = null;
        try {
            copy = Files.createTempFile("internvl4j-video", "");
            Files.write(copy, bytes);
            return use.apply(copy);
        } catch (IOException e) {
            throw new VideoException(name + ": cannot be written to a temporary file: " + e.getMessage(), e);
        } catch (VideoException e) { // whoever sent the text knows of no such file, and need not
            throw new VideoException(String.valueOf(e.getMessage()).replace(String.valueOf(copy), name), e);
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
}
