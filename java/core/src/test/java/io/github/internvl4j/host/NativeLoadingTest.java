package io.github.internvl4j.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.internvl4j.InternVL;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The first use of native code in a JVM, when something is wrong: named with what would help, and over when it is over. */
class NativeLoadingTest {
    private static final String CACHE = "-Dorg.bytedeco.javacpp.cacheDir=";
    private static final String WORKS = "done: " + InternVL.version();

    @TempDir
    Path folder;

    private String image(String name) throws IOException {
        Path file = folder.resolve(name);
        try (var in = NativeLoadingTest.class.getResourceAsStream("/image/" + name)) {
            Files.write(file, in.readAllBytes());
        }
        return file.toString();
    }

    private static String video() {
        return Path.of(System.getProperty("internvl4j.testData"), "demo", "samples", "film.mp4")
                .toString();
    }

    private static void assertOutput(ChildJvm.Result result, String... words) {
        for (String word : words) {
            assertTrue(result.output().contains(word), () -> word + " is not in: " + result.output());
        }
    }

    @Test
    void damagedCopiesAreReplaced() throws Exception {
        Path cache = folder.resolve("cache");
        assertOutput(new ChildJvm().with(CACHE + cache).run(FirstLoad.class), WORKS);
        List<Path> copies;
        try (Stream<Path> files = Files.walk(cache)) {
            copies = files.filter(file -> file.toString().endsWith(".so") && Files.isRegularFile(file))
                    .toList();
        }
        assertTrue(copies.size() >= 3, copies.toString());
        for (Path copy : copies) {
            // Of the same size and date, as after a crash of the system, or of another build.
            FileTime time = Files.getLastModifiedTime(copy);
            byte[] bytes = Files.readAllBytes(copy);
            ByteBuffer.wrap(bytes).position(bytes.length / 2).put(new byte[bytes.length / 4]);
            ByteBuffer.wrap(bytes).putInt(0, 0);
            Files.write(copy, bytes);
            Files.setLastModifiedTime(copy, time);
        }
        assertOutput(new ChildJvm().with(CACHE + cache).run(FirstLoad.class), WORKS);
        for (Path copy : copies) {
            assertNotEquals(0, ByteBuffer.wrap(Files.readAllBytes(copy)).getInt(), copy.toString());
        }
    }

    @Test
    void aCacheThatCannotBeWrittenIsNamed() throws Exception {
        String file = Files.createFile(folder.resolve("file")).toString();
        ChildJvm.Result result = new ChildJvm()
                .with(CACHE + file, "-Duser.home=" + file, "-Djava.io.tmpdir=" + file)
                .run(FirstLoad.class, image("lossy.webp"));
        assertOutput(result, "NativeLibraryException", "ImageException", "org.bytedeco.javacpp.cacheDir", file);
        assertFalse(result.output().contains("\tat "), result.output());
    }

    @Test
    void aFileSystemWithoutExecutionIsNamed() throws Exception {
        Path cache = Files.createDirectory(folder.resolve("not executable"));
        assumeTrue(run("mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", cache.toString()), "may not mount");
        try {
            assertEquals(cache.toRealPath(), Mounts.noExecution(cache));
            ChildJvm.Result result = new ChildJvm()
                    .with(CACHE + cache, "-Djava.io.tmpdir=" + cache)
                    .run(FirstLoad.class, image("lossy.webp"), video());
            assertOutput(result, "NativeLibraryException", "ImageException", "VideoException", "mounted noexec");
            assertFalse(result.output().contains("must be on the class path"), result.output());
            assertFalse(result.output().contains("\tat "), result.output());
        } finally {
            run("umount", cache.toString());
        }
        assertNull(Mounts.noExecution(cache));
    }

    private static boolean run(String... command) throws Exception {
        return new ProcessBuilder(command).redirectErrorStream(true).start().waitFor() == 0;
    }

    @Test
    void aDiskThatIsFullIsNamed() throws Exception {
        Path cache = Files.createDirectory(folder.resolve("full"));
        assumeTrue(run("mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", cache.toString()), "may not mount");
        try {
            ChildJvm.Result result = new ChildJvm()
                    .with(CACHE + cache, "-Djava.io.tmpdir=" + cache)
                    .run(FirstLoad.class, image("lossy.webp"), video());
            assertOutput(
                    result, "NativeLibraryException", "ImageException", "VideoException", "No space left on device");
            assertFalse(result.output().contains("\tat "), result.output());
        } finally {
            run("umount", cache.toString());
        }
    }

    @Test
    void onlyAJarThatIsMissingIsAskedFor() throws Exception {
        ChildJvm.Result result = new ChildJvm(".*/internvl4j-native-[^/]*-linux-x86_64[^/]*").run(FirstLoad.class);
        assertOutput(result, "NativeLibraryException", "internvl4j-native with the classifier linux-x86_64");
        result = new ChildJvm(".*/javacpp-[^/]*-linux-x86_64[^/]*").run(FirstLoad.class);
        assertOutput(result, "NativeLibraryException", "org.bytedeco:javacpp with the classifier linux-x86_64");
        result = new ChildJvm(".*/ffmpeg-[^/]*").run(FirstLoad.class, video());
        assertOutput(result, WORKS, "VideoException", "org.bytedeco:ffmpeg");
        result = new ChildJvm()
                .with("-Dorg.bytedeco.javacpp.platform=linux-arm64")
                .run(FirstLoad.class);
        assertOutput(result, "NativeLibraryException", "only for linux-x86_64", "with the classifier linux-arm64");
    }

    @Test
    void aUserWithoutAHomeGetsNone() throws Exception {
        Path home = folder.resolve("home");
        ChildJvm.Result result = new ChildJvm()
                .with("-Duser.home=" + home, "-Djava.io.tmpdir=" + folder)
                .run(FirstLoad.class, image("lossy.webp"));
        assertOutput(result, WORKS, "done: Image");
        assertFalse(Files.exists(home));
    }

    @Test
    void everythingWorksOnTheModulePath() throws Exception {
        ChildJvm.Result result = new ChildJvm(".*/(lincheck|jazzer)[^/]*") // modules of these share packages
                .asModule("org.bytedeco.ffmpeg,org.bytedeco.ffmpeg.linux.x86_64")
                .with(CACHE + folder)
                .run(FirstLoad.class, image("gray.jpg"), image("lossy.webp"), video());
        assertEquals(
                4,
                result.lines().stream()
                        .filter(line -> line.startsWith("done: "))
                        .count(),
                result.output());
    }

    @Test
    void nativeAccessThatIsDeniedIsNamed() throws Exception {
        assumeTrue(Runtime.version().feature() >= 24, "older JVMs deny nothing");
        ChildJvm.Result result = new ChildJvm()
                .with("--illegal-native-access=deny", CACHE + folder)
                .run(FirstLoad.class, image("lossy.webp"), video());
        assertOutput(
                result,
                "NativeLibraryException",
                "ImageException",
                "VideoException",
                "--enable-native-access=ALL-UNNAMED");
    }

    @Test
    void whenFilesCanBeOpenedAgainEverythingWorks() throws Exception {
        String[] arguments = {"files", image("gray.jpg"), image("lossy.webp"), video()};
        assertOver(
                "too many open files",
                new ChildJvm()
                        .before("prlimit", "--nofile=256")
                        .with("-XX:-MaxFDLimit", CACHE + folder)
                        .run(FirstLoad.class, arguments));
    }

    @Test
    void whenThreadsCanBeStartedAgainEverythingWorks() throws Exception {
        // The limit counts the processes of a user, and does not hold for root: so root makes a user of it who has no
        // others.
        String user = "--reuid=" + (50_000 + ProcessHandle.current().pid() % 10_000);
        assumeTrue(run("setpriv", user, "--clear-groups", "true"), "may not become another user");
        Path copies = Files.createDirectory(folder.resolve("copies"));
        Path video = Files.copy(Path.of(video()), copies.resolve("film.mp4"));
        String[] arguments = {"threads", image("gray.jpg"), image("lossy.webp"), video.toString()};
        assertTrue(run("chmod", "-R", "a+rwX", folder.toString()));
        assertOver(
                "no more threads",
                new ChildJvm()
                        .copied(copies)
                        .before("setpriv", user, "--clear-groups", "prlimit", "--nproc=80")
                        .with("-Xlog:disable", CACHE + folder)
                        .run(FirstLoad.class, arguments));
    }

    /** The first four uses fail for the reason, the same four after them do not. */
    private static void assertOver(String reason, ChildJvm.Result result) {
        List<String> lines = result.lines();
        assertEquals(8, lines.size(), result.output());
        for (int i = 0; i < 8; i++) {
            assertTrue(lines.get(i).contains(i < 4 ? reason : "done: "), result.output());
        }
    }

    @Test
    void aRuntimeWithoutDesktopIsNamed() throws Exception {
        ChildJvm.Result result = new ChildJvm()
                .with("--limit-modules", "java.base,java.logging,jdk.unsupported", CACHE + folder)
                .run(FirstLoad.class, image("gray.jpg"), image("lossy.webp"), image("type2-8.png"));
        List<String> lines = result.lines();
        assertTrue(lines.get(1).startsWith("ImageException") && lines.get(1).contains("java.desktop"), result.output());
        assertTrue(lines.get(2).startsWith("ImageException") && lines.get(2).contains("java.desktop"), result.output());
        assertTrue(lines.get(3).startsWith("done: "), result.output());
    }
}
