package io.github.internvl4j.host;

import io.github.internvl4j.error.CheckpointException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads the files of a checkpoint that are not weights. */
public final class CheckpointFile {
    private CheckpointFile() {}

    /**
     * The file's bytes.
     *
     * @throws CheckpointException if something else was put in its place: a pointer of Git LFS, a web page
     * @throws IOException if it cannot be read
     */
    public static byte[] read(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        if (begins(bytes, "version https://git-lfs")) {
            throw new CheckpointException(file + ": is a Git LFS pointer, not the file itself; run `git lfs pull`");
        }
        if (begins(bytes, "<!doctype") || begins(bytes, "<html")) {
            throw new CheckpointException(file + ": is a web page, not the file itself; download it again");
        }
        return bytes;
    }

    private static boolean begins(byte[] bytes, String with) {
        int length = Math.min(bytes.length, with.length());
        return new String(bytes, 0, length, StandardCharsets.ISO_8859_1).equalsIgnoreCase(with);
    }
}
