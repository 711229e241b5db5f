package io.github.internvl4j.evaluate;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** What tells two things apart. */
final class Digest {
    /** Of a longer file only so much from its start and its end is read: weights are hundreds of gigabytes. */
    private static final int PART = 1 << 20;

    private Digest() {}

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException failure) {
            throw new IllegalStateException(failure); // every JDK has it
        }
    }

    static String of(byte[] bytes) {
        return HexFormat.of().formatHex(sha256().digest(bytes));
    }

    static String of(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Of a folder's files: names, sizes, and both ends of each. */
    static String ofFolder(Path folder) throws IOException {
        MessageDigest digest = sha256();
        try (Stream<Path> all = Files.list(folder)) {
            List<Path> files = all.filter(Files::isRegularFile).sorted().toList();
            for (Path file : files) {
                String head = file.getFileName() + " " + Files.size(file) + "\n";
                digest.update(head.getBytes(StandardCharsets.UTF_8));
                addEnds(digest, file);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static void addEnds(MessageDigest digest, Path file) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "r")) {
            byte[] part = new byte[(int) Math.min(PART, bytes.length())];
            bytes.readFully(part);
            digest.update(part);
            bytes.seek(bytes.length() - part.length);
            bytes.readFully(part);
            digest.update(part);
        }
    }
}
