package io.github.internvl4j.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.github.internvl4j.TestData;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The two libraries in the jar run on an older glibc than the build's: native/tests/cmake/glibc_floor.cmake looks. */
class GlibcFloorTest {
    @Test
    void theLibrariesInTheJarRunOnOlderSystems(@TempDir Path folder) throws Exception {
        List<String> libraries = new ArrayList<>();
        for (String name : List.of("libinternvl4j.so", "libjniinternvl4j.so")) {
            libraries.add(unpacked(name, folder).toString());
        }
        Path script = TestData.root().toAbsolutePath().resolve("../native/tests/cmake/glibc_floor.cmake");
        Process process = new ProcessBuilder(
                        "cmake",
                        "-DREADELF=readelf",
                        "-DLIBRARIES=" + String.join(";", libraries),
                        "-P",
                        script.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
    }

    private static Path unpacked(String library, Path folder) throws IOException {
        Path file = folder.resolve(library);
        String resource = "/io/github/internvl4j/internal/linux-x86_64/" + library;
        try (InputStream in = GlibcFloorTest.class.getResourceAsStream(resource)) {
            assertNotNull(in, resource);
            Files.copy(in, file);
        }
        return file;
    }
}
