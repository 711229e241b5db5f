package io.github.internvl4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The scripts that build on first use. */
class ScriptsTest {
    @TempDir
    Path folder;

    /** A program of an older source would be run otherwise; {@code kernels/} has headers of the CPU library, too. */
    @Test
    void aChangeOfAnySourceIsSeen() throws IOException, InterruptedException {
        List<String> sources = List.of(
                "pom.xml",
                ".mvn/jvm.config",
                "CMakeLists.txt",
                "scripts/build-native.cmake",
                "native/CMakeLists.txt",
                "native/glibc_floor.cpp",
                "native/internvl4j.map",
                "native/include/a.h",
                "native/src/cpu/a.cpp",
                "kernels/sampling_rules.h",
                "kernels/device/a.h",
                "java/core/pom.xml",
                "java/core/src/main/java/A.java");
        List<String> all = new ArrayList<>(sources);
        all.addAll(List.of("stamp", "jar"));
        for (String name : all) {
            Path file = folder.resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, "");
        }
        Files.setLastModifiedTime(
                folder.resolve("stamp"), FileTime.from(Instant.now().plusSeconds(60)));
        assertEquals("fresh", ask());
        for (String name : sources) {
            FileTime before = Files.getLastModifiedTime(folder.resolve(name));
            Files.setLastModifiedTime(
                    folder.resolve(name), FileTime.from(Instant.now().plusSeconds(120)));
            assertEquals("stale", ask(), name);
            Files.setLastModifiedTime(folder.resolve(name), before);
        }
        Files.delete(folder.resolve("jar"));
        assertEquals("stale", ask());
    }

    private String ask() throws IOException, InterruptedException {
        Path script = Cli.DATA.resolveSibling("scripts/lib/common.sh");
        Process process = new ProcessBuilder(
                        "bash",
                        "-c",
                        "source \"$0\"; root=$1; if is_stale \"$1/stamp\" \"$1/jar\"; then echo stale; else echo fresh; fi",
                        script.toString(),
                        folder.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        process.waitFor();
        return said;
    }
}
