package io.github.internvl4j.video;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Videos that nobody closes are closed when they are garbage. */
class ForgottenVideoTest {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

    private static long open(Path video) throws IOException {
        try (Stream<Path> files = Files.list(DESCRIPTORS)) {
            return files.filter(file -> leadsTo(file, video)).count();
        }
    }

    private static boolean leadsTo(Path descriptor, Path video) {
        try {
            return Files.readSymbolicLink(descriptor).equals(video);
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }

    @Test
    void theirDescriptorsComeBack() throws Exception {
        assumeTrue(Files.isDirectory(DESCRIPTORS), "no /proc");
        Path video = Path.of(System.getProperty("internvl4j.testData"), "demo", "samples", "film.mp4")
                .toRealPath();
        for (int i = 0; i < 20; i++) {
            VideoFrames.open(video).frame(0);
        }
        for (int i = 0; i < 200 && open(video) > 0; i++) {
            System.gc();
            Thread.sleep(20);
        }
        assertEquals(0, open(video));
    }
}
