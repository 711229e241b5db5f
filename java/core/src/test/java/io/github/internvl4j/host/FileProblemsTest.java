package io.github.internvl4j.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.VideoException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.tensor.Safetensors;
import io.github.internvl4j.tensor.SafetensorsFile;
import io.github.internvl4j.tensor.Tensor;
import io.github.internvl4j.video.VideoFrames;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class FileProblemsTest {
    @TempDir
    Path folder;

    private static <T extends InternVLException> void assertSays(Class<T> type, String words, Executable use) {
        String message = String.valueOf(assertThrows(type, use).getMessage());
        assertTrue(message.contains(words), message);
    }

    @Test
    void theReasonIsInTheMessageWhereverItStands() {
        Path file = Path.of("a.png");
        assertEquals("a.png does not exist", FileProblems.describe(file, "opened", new NoSuchFileException("a.png")));
        assertEquals(
                "a.png cannot be opened: permission denied",
                FileProblems.describe(file, "opened", new AccessDeniedException("a.png")));
        assertEquals(
                "a.png cannot be opened: File name too long",
                FileProblems.describe(file, "opened", new FileSystemException("a.png", null, "File name too long")));
        assertTrue(FileProblems.reason(new FileSystemException("a", null, "Too many open files"))
                .contains("ulimit -n"));
        assertEquals("IOException", FileProblems.reason(new IOException()));
    }

    @Test
    void filesBelowFilesAndCirclesOfLinksAreNamed() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        assertSays(ImageException.class, "Not a directory", () -> Image.read(file.resolve("a.png")));
        assertSays(VideoException.class, "Not a directory", () -> VideoFrames.open(file.resolve("a.mp4")));
        Path link = Files.createSymbolicLink(folder.resolve("a.png"), folder.resolve("b.png"));
        Files.createSymbolicLink(folder.resolve("b.png"), link);
        assertSays(ImageException.class, "symbolic links", () -> Image.read(link));
        assertSays(CheckpointException.class, "symbolic links", () -> SafetensorsFile.open(link));
    }

    @Test
    void addressesAreSaidNotToBeFetched() {
        for (Executable use : new Executable[] {
            () -> Image.read(Path.of("https://example.org/a//b.png")),
            () -> VideoFrames.open(Path.of("https://example.org/a/b.png"))
        }) {
            assertSays(InternVLException.class, "https://example.org/a/b.png is an address", use);
        }
        assertSays(ImageException.class, "leave \"file:\" out", () -> Image.read(Path.of("file:///tmp/a.png")));
        String uri = "data:image/png;base64," + "iVBORw0K".repeat(1000);
        ImageException refused = assertThrows(ImageException.class, () -> Image.read(Path.of(uri)));
        String message = String.valueOf(refused.getMessage());
        assertTrue(message.contains("data URI") && message.length() < 200, message);
        assertNull(FileProblems.address(Path.of("images/https:/a.png")));
        assertNull(FileProblems.address(Path.of("a:b")));
    }

    @Test
    void pathsOfOtherFileSystemsAreReadThereOrRefused() throws IOException {
        // On the disk there is a file of the same name, which must not be taken for it.
        Path checkpoint = Path.of(System.getProperty("internvl4j.testData"), "hermes-gqa7")
                .toAbsolutePath();
        Path video = Path.of(System.getProperty("internvl4j.testData"), "demo", "samples", "film.mp4")
                .toAbsolutePath();
        try (FileSystem zip = FileSystems.newFileSystem(folder.resolve("a.zip"), Map.of("create", "true"))) {
            Path image = zip.getPath("/a.png");
            Files.copy(FileProblemsTest.class.getResourceAsStream("/image/type2-8.png"), image);
            assertTrue(Image.read(image).width() > 0);

            Path there = zip.getPath(checkpoint.toString());
            assertFalse(Files.exists(there));
            for (Executable use : new Executable[] {
                () -> InternVL.load(there),
                () -> InternVL.inspect(there),
                () -> InternVL.plan(there, LoadOptions.defaults()),
                () -> InternVL.check(there, false),
                () -> InternVL.quantize(there, folder, false, progress -> {}),
                () -> InternVL.quantize(checkpoint, there, false, progress -> {}),
            }) {
                assertSays(CheckpointException.class, "not on the default file system", use);
            }
            assertFalse(Files.exists(folder.resolve("model.safetensors")));
            assertSays(
                    VideoException.class,
                    "not on the default file system",
                    () -> VideoFrames.open(zip.getPath(video.toString())));

            Path tensors = zip.getPath("/a.safetensors");
            Safetensors.write(tensors, Map.of("x", Tensor.allocate(2, 3)));
            assertEquals(6, Safetensors.read(tensors).get("x").size());
        }
    }

    @Test
    void namesForNativeCodeAreTheirBytes() {
        String encoding = System.getProperty("sun.jnu.encoding");
        assumeTrue("UTF-8".equals(encoding), "this locale has no such names");
        assertArrayEquals(
                "\u00e4.png".getBytes(StandardCharsets.UTF_8), FileProblems.nativeName(Path.of("\u00e4.png")));
        try {
            System.setProperty("sun.jnu.encoding", "ANSI_X3.4-1968");
            assertArrayEquals(
                    Path.of("\u00e4 b%.png").toAbsolutePath().toString().getBytes(StandardCharsets.UTF_8),
                    FileProblems.nativeName(Path.of("\u00e4 b%.png")));
        } finally {
            System.setProperty("sun.jnu.encoding", encoding);
        }
    }
}
