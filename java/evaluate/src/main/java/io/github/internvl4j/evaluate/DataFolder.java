package io.github.internvl4j.evaluate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Where the data sets lie: the folder that the published scripts call {@code data}, or the one that holds it. */
public final class DataFolder {
    private static final String NAME = "data/";

    private final Path root;

    private DataFolder(Path root) {
        this.root = root;
    }

    /** Takes either of the two. */
    public static DataFolder of(Path root) {
        Path inner = root.resolve(NAME);
        return new DataFolder(Files.isDirectory(inner) ? inner : root);
    }

    /**
     * A file or folder, there or not.
     *
     * @param path with or without {@code data/} before it, as the data sets name their pictures
     */
    public Path path(String path) {
        return root.resolve(path.startsWith(NAME) ? path.substring(NAME.length()) : path);
    }

    /** The files of a folder whose names begin and end so, by name; none if there is no such folder. */
    public List<Path> files(String folder, String start, String end) throws IOException {
        Path directory = path(folder);
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> {
                        String name = file.getFileName().toString();
                        return name.startsWith(start) && name.endsWith(end);
                    })
                    .sorted()
                    .toList();
        }
    }
}
