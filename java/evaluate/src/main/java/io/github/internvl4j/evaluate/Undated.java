package io.github.internvl4j.evaluate;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Collections;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/** A zip file without the time it was made at, so that two runs give the same bytes. */
final class Undated {
    /** The first day that zip files know, wherever that is. */
    private static final LocalDateTime THEN = LocalDateTime.of(1980, 1, 1, 0, 0);

    private static final String CREATED = "(<dcterms:created[^>]*>)[^<]*";

    private Undated() {}

    static byte[] zip(byte[] dated) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Path file = Files.createTempFile("internvl4j", ".zip"); // the library's sizes stand at the end only
        try {
            Files.write(file, dated);
            copy(file, bytes);
        } finally {
            Files.delete(file);
        }
        return bytes.toByteArray();
    }

    private static void copy(Path file, ByteArrayOutputStream bytes) throws IOException {
        try (ZipFile in = new ZipFile(file.toFile());
                ZipOutputStream out = new ZipOutputStream(bytes)) {
            for (ZipEntry entry : Collections.list(in.entries())) {
                ZipEntry undated = new ZipEntry(entry.getName());
                undated.setTimeLocal(THEN);
                out.putNextEntry(undated);
                try (InputStream content = in.getInputStream(entry)) {
                    out.write(content(entry.getName(), content.readAllBytes()));
                }
            }
        }
    }

    private static byte[] content(String name, byte[] content) {
        if (!name.endsWith("core.xml")) {
            return content;
        }
        String text = new String(content, StandardCharsets.UTF_8);
        return text.replaceAll(CREATED, "$11980-01-01T00:00:00Z").getBytes(StandardCharsets.UTF_8);
    }
}
