package io.github.internvl4j.cli;

import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.DataUri;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.ReadOptions;
import io.github.internvl4j.server.openai.DataFile;
import io.github.internvl4j.server.openai.JsonText;
import io.github.internvl4j.server.openai.MediaSource;
import java.net.URI;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Where images and videos come from: a file's name, {@code file:} and its address, or {@code data:} and the file itself. */
final class Media implements MediaSource {
    private static final Pattern ADDRESS = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*://.*", Pattern.DOTALL);
    private static final Pattern FILE_ADDRESS = Pattern.compile("file:/.*", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    /** Longer than any name of a file on Linux. */
    private static final int LONGEST_NAME = 4096;

    private final @Nullable Path list;
    private final ReadOptions options;

    /** @param list the file that names the others: they lie beside it, or else in the working directory; null for none */
    Media(@Nullable Path list, ReadOptions options) {
        this.list = list;
        this.options = options;
    }

    /**
     * Reads an image.
     *
     * @throws InternVLException naming the source, shortened if it is long
     */
    Image image(String source) {
        if (!DataUri.is(source)) {
            return Image.read(file(source), options);
        }
        String name = JsonText.shortened(source);
        return Image.read(DataUri.bytes(source, name), name, options);
    }

    @Override
    public Image image(String url, String path) {
        return image(url);
    }

    @Override
    public List<Image> frames(String url, String path) {
        return new Video(this, url, Video.DEFAULT_FRAMES, null, null).sample();
    }

    List<Image> images(List<String> sources) {
        return sources.stream().map(this::image).toList();
    }

    /**
     * Uses a video, which only files can be: one that stands in the text is one for so long.
     *
     * @throws InternVLException naming the source, shortened if it is long
     */
    <T> T video(String source, Function<Path, T> use) {
        return DataUri.is(source) ? DataFile.use(source, use) : use.apply(file(source));
    }

    private Path file(String source) {
        String shown = JsonText.shortened(source);
        try {
            if (FILE_ADDRESS.matcher(source).matches()) {
                return Path.of(URI.create(source));
            }
            if (ADDRESS.matcher(source).matches()) {
                throw new PromptException(
                        shown + ": addresses are not fetched; expected a file, or data: and the file itself");
            }
            if (source.length() > LONGEST_NAME) {
                throw new PromptException(shown + ": expected a file's name; a file in the text itself begins with"
                        + " data:TYPE;base64,");
            }
            Path file = FileNames.path(source);
            Path beside = list == null ? file : list.toAbsolutePath().resolveSibling(file);
            return Files.exists(beside) ? beside : file;
        } catch (InvalidPathException e) {
            throw new PromptException(shown + ": no file can be named so: " + e.getReason(), e);
        } catch (IllegalArgumentException | FileSystemNotFoundException e) {
            throw new PromptException(shown + ": expected file:///FOLDER/NAME, a space as %20", e);
        }
    }
}
