package io.github.internvl4j.cli;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.TypeConversionException;

/** Names of files as they are typed, which are UTF-8 whatever the locale says. */
final class FileNames {
    private FileNames() {}

    /** @throws InvalidPathException if no file can have the name */
    static Path path(String name) {
        if (!ProcessArguments.localeIsAscii() || name.chars().allMatch(c -> c < 0x80)) {
            return Path.of(name);
        }
        // In that locale Java takes names of ASCII only; but a URI's escapes are the name's bytes.
        StringBuilder uri = new StringBuilder("file:///");
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            uri.append(b == '/' ? "/" : String.format("%%%02X", b & 0xff));
        }
        Path root = Path.of("/");
        Path file = Path.of(URI.create(uri.toString()));
        return name.startsWith("/") ? file : root.relativize(file);
    }

    /** For options. */
    static Path option(String name) {
        try {
            return path(name);
        } catch (InvalidPathException e) {
            throw new TypeConversionException("no file can be named so: " + e.getReason());
        }
    }
}
