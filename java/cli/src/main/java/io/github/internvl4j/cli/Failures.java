package io.github.internvl4j.cli;

import io.github.internvl4j.error.InternVLException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;

/** Failures as one line for people. */
final class Failures {
    private Failures() {}

    static String describe(Throwable failure) {
        if (failure instanceof InternVLException) {
            return oneLine(failure.getMessage());
        }
        if (failure instanceof UncheckedIOException && failure.getCause() != null) {
            return describe(failure.getCause());
        }
        if (failure instanceof NoSuchFileException missing) {
            return missing.getFile() + ": no such file";
        }
        if (failure instanceof AccessDeniedException denied) {
            return denied.getFile() + ": permission denied";
        }
        if (failure instanceof FileSystemException other) {
            return oneLine(other.getFile() + ": " + other.getReason());
        }
        if (failure instanceof OutOfMemoryError) {
            return "the Java heap is full (" + failure.getMessage() + "); raise it through INTERNVL4J_JAVA_OPTS=-Xmx...";
        }
        return failure.getClass().getSimpleName() + ": " + oneLine(failure.getMessage());
    }

    static String oneLine(@Nullable String message) {
        return message == null ? "no message" : message.strip().replaceAll("\\s*\\R\\s*", " ");
    }
}
