package io.github.internvl4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Memory that the system says this process has resident, in bytes, mapped weights included; 0 where it does not tell. */
final class ResidentMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private ResidentMemory() {}

    static long now() throws IOException {
        return field("VmRSS:");
    }

    /** The most there ever was since the start, or since {@link #forgetPeak()} if the system allows that. */
    static long peak() throws IOException {
        return field("VmHWM:");
    }

    static void forgetPeak() {
        try {
            Files.writeString(Path.of("/proc/self/clear_refs"), "5");
        } catch (IOException refused) {
            // The peak is then that of the whole process: too large if anything, never too small.
        }
    }

    private static long field(String name) throws IOException {
        if (!Files.isReadable(STATUS)) {
            return 0;
        }
        return Files.readAllLines(STATUS).stream()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                .findFirst()
                .orElse(0);
    }
}
