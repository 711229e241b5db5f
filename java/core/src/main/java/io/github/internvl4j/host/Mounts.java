package io.github.internvl4j.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How Linux has mounted its file systems. */
public final class Mounts {
    private static final Path TABLE = Path.of("/proc/self/mountinfo");

    private Mounts() {}

    /**
     * Whether a file's file system is mounted noexec, so that no library on it can be loaded.
     *
     * @return where it is mounted, or null if execution is allowed or nothing is known
     */
    public static @Nullable Path noExecution(Path file) {
        try {
            Path real = file.toRealPath();
            Path found = null;
            boolean forbidden = false;
            for (String line : Files.readAllLines(TABLE, StandardCharsets.ISO_8859_1)) {
                // number, parent, device, root, mount point, options, ...
                List<String> fields = List.of(line.split(" "));
                Path mount = Path.of(unescaped(fields.get(4)));
                boolean deeper = found == null || mount.getNameCount() >= found.getNameCount(); // the last one covers
                if (real.startsWith(mount) && deeper) {
                    found = mount;
                    forbidden = List.of(fields.get(5).split(",")).contains("noexec");
                }
            }
            return forbidden ? found : null;
        } catch (IOException | RuntimeException e) {
            return null;
        }
    }

    /** The kernel writes spaces and such as three octal digits. */
    private static String unescaped(String text) {
        StringBuilder bytes = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\' && i + 3 < text.length()) {
                bytes.append((char) Integer.parseInt(text.substring(i + 1, i + 4), 8));
                i += 3;
            } else {
                bytes.append(c);
            }
        }
        return new String(bytes.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }
}
