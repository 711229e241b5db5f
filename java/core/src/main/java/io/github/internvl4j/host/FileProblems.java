package io.github.internvl4j.host;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileSystems;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Why a file cannot be used, in words: the exceptions of java.nio.file leave the reason to the names of their classes. */
public final class FileProblems {
    // A path has lost the second of two slashes.
    private static final Pattern ADDRESS = Pattern.compile("(?s)([A-Za-z][A-Za-z0-9+.-]+):/(.*)");
    private static final int SHOWN = 60;

    private FileProblems() {}

    /**
     * A sentence about a file that could not be used.
     *
     * @param file as the caller named it
     * @param done what could not be done: "opened", "read", "written"
     * @param failure as it was thrown
     */
    public static String describe(Path file, String done, IOException failure) {
        String address = address(file);
        if (address != null) {
            return address;
        }
        if (failure instanceof NoSuchFileException missing && file.toString().equals(missing.getFile())) {
            return file + " does not exist";
        }
        return file + " cannot be " + done + ": " + reason(failure);
    }

    /** The reason alone: "permission denied". */
    public static String reason(IOException failure) {
        if (failure instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (failure instanceof NoSuchFileException missing) {
            return missing.getFile() + " does not exist, or its folder does not";
        }
        if (failure instanceof NotDirectoryException other) {
            return other.getFile() + " is not a folder";
        }
        if (failure instanceof FileAlreadyExistsException there) {
            return there.getFile() + " is there already";
        }
        if (failure instanceof DirectoryNotEmptyException full) {
            return full.getFile() + " is a folder that is not empty";
        }
        if (failure instanceof FileSystemLoopException) {
            return "symbolic links lead in a circle";
        }
        if (failure instanceof CharacterCodingException) {
            return "it is not UTF-8 text";
        }
        String reason = failure instanceof FileSystemException other ? other.getReason() : failure.getMessage();
        if (reason == null || reason.isEmpty()) {
            return failure.getClass().getSimpleName();
        }
        return reason.contains(Shortage.NO_DESCRIPTOR) ? Shortage.DESCRIPTORS : reason;
    }

    /**
     * What to say of a path that was made of an address, or null if it was not.
     *
     * @param file that is not there, or cannot be opened
     */
    public static @Nullable String address(Path file) {
        String text = file.toString();
        if (text.startsWith("data:")) {
            return text.substring(0, Math.min(text.length(), SHOWN))
                    + "... is a data URI, not a file's name: decode it and give its bytes";
        }
        Matcher parts = ADDRESS.matcher(text);
        if (!isOnDisk(file) || !parts.matches()) {
            return null;
        }
        if (parts.group(1).equals("file")) {
            return text + " is a file's address, not its name: leave \"file:\" out";
        }
        return parts.group(1) + "://" + parts.group(2)
                + " is an address, not a file's name, and addresses are not fetched: download it and give the file";
    }

    /** Whether native code finds a file by its path's text. */
    public static boolean isOnDisk(Path file) {
        return file.getFileSystem().equals(FileSystems.getDefault());
    }

    /**
     * The name that native code opens a path on the default file system by: its bytes, which in a locale of ASCII the text
     * of a path has lost.
     */
    public static byte[] nativeName(Path file) {
        String text = file.toString();
        boolean ascii = text.chars().allMatch(c -> c < 0x80);
        if (ascii || "UTF-8".equalsIgnoreCase(System.getProperty("sun.jnu.encoding"))) {
            return text.getBytes(StandardCharsets.UTF_8);
        }
        String escaped = file.toAbsolutePath().toUri().getRawPath();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < escaped.length(); i++) {
            boolean escape = escaped.charAt(i) == '%';
            bytes.write(escape ? Integer.parseInt(escaped.substring(i + 1, i + 3), 16) : escaped.charAt(i));
            i += escape ? 2 : 0;
        }
        return bytes.toByteArray();
    }

    /**
     * Says that native code cannot open a path, for one that is not {@link #isOnDisk}.
     *
     * @param user who opens it: "FFmpeg"
     */
    public static String notOnDisk(Path file, String user) {
        return file.toUri() + " is not on the default file system, and " + user
                + " opens files by their names there: copy it to a folder first";
    }
}
