package io.github.internvl4j.evaluate;

import java.io.IOException;
import java.nio.file.Path;

/** A Parquet file that cannot be read: torn, damaged, or of a kind that is not read here. */
final class ParquetException extends IOException {
    private static final long serialVersionUID = 1;

    ParquetException(Path file, String what, Throwable cause) {
        super(file + " " + what, cause);
    }

    ParquetException(Path file, String what) {
        super(file + " " + what);
    }

    static ParquetException damaged(Path file, String where, Throwable failure) {
        return new ParquetException(
                file, "is damaged" + where + ": " + reason(failure) + "; download it again", failure);
    }

    private static String reason(Throwable failure) {
        String message = failure.getMessage();
        return message == null ? failure.getClass().getSimpleName() : message;
    }
}
