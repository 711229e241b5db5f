package io.github.internvl4j.cli;

import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.host.Shortage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** Failures as one line for people. */
final class Failures {
    private Failures() {}

    static String describe(Throwable failure) {
        if (failure instanceof InvalidOptionException option) {
            return OptionNames.inCommand(option);
        }
        if (failure instanceof InternVLException) {
            return oneLine(failure.getMessage());
        }
        if (failure instanceof UncheckedIOException && failure.getCause() != null) {
            return describe(failure.getCause());
        }
        if (failure instanceof NoSuchFileException missing) {
            return missing.getFile() + ": no such file or folder";
        }
        if (failure instanceof AccessDeniedException denied) {
            return denied.getFile() + ": permission denied";
        }
        if (failure instanceof FileSystemException other) {
            return oneLine(other.getFile() + ": " + other.getReason());
        }
        if (failure instanceof CharacterCodingException) {
            return "it is no text in the encoding that its byte order mark tells";
        }
        if (failure instanceof CancellationException) {
            return "cancelled";
        }
        if (failure instanceof OutOfMemoryError full) {
            return "it cannot be done: " + Shortage.of(full) + " (INTERNVL4J_JAVA_OPTS takes options of the JVM)";
        }
        return failure.getClass().getSimpleName() + ": " + oneLine(failure.getMessage());
    }

    /** Whether whoever read our output stopped reading: no failure of ours. */
    static boolean isBrokenPipe(IOException failure) {
        return "Broken pipe".equals(failure.getMessage());
    }

    static String oneLine(@Nullable String message) {
        return message == null ? "no message" : message.strip().replaceAll("\\s*\\R\\s*", " ");
    }
}
