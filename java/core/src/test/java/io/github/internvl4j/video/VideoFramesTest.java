package io.github.internvl4j.video;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.VideoException;
import io.github.internvl4j.image.Image;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VideoFramesTest {
    private static final int FRAMES = 48;

    @TempDir
    Path folder;

    @ParameterizedTest(name = "{0} in {1}")
    @CsvSource({
        "mpeg4, film.mp4, 10, 2",
        "mpeg4, video.avi, 10, 0",
        "mpeg4, video.mkv, 500, 0",
        "mpeg2video, video.ts, 12, 2",
        "mpeg2video, video.mpg, 12, 2",
        "libopenh264, film.mp4, 10, 0",
        "libvpx, video.webm, 10, 0",
        "libvpx-vp9, video.webm, 10, 0",
        "mjpeg, video.avi, 1, 0"
    })
    void everyFrameIsTheOneAskedFor(String encoder, String name, int keyDistance, int bFrames) {
        Path file = folder.resolve(name);
        assumeTrue(VideoWriter.write(file, encoder, FRAMES, keyDistance, bFrames, null), "no " + encoder);
        try (VideoFrames video = VideoFrames.open(file)) {
            assertEquals(VideoWriter.WIDTH, video.width());
            assertEquals(VideoWriter.HEIGHT, video.height());
            assertEquals(25, video.averageFps());
            assertEveryFrame(video);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"h264-bframes.mp4", "hevc-open-gop.mkv"})
    void bFramesAndOpenGroupsOfImagesAreExact(String name) throws IOException {
        try (VideoFrames video = VideoFrames.open(resource(name))) {
            assertEquals(25, video.averageFps());
            assertEveryFrame(video);
        }
    }

    @Test
    void variableRatesCountFramesNotTimes() {
        Path file = folder.resolve("video.mkv");
        int[] gaps = {10, 33, 40, 100, 7};
        VideoWriter.write(file, "mpeg4", FRAMES, 9, 0, i -> {
            long time = 0;
            for (int k = 0; k < i; k++) {
                time += gaps[k * 7 % gaps.length];
            }
            return time;
        });
        try (VideoFrames video = VideoFrames.open(file)) {
            assertEveryFrame(video);
        }
    }

    @Test
    void samplesAsTheCardDoes() throws IOException {
        try (VideoFrames video = VideoFrames.open(resource("h264-bframes.mp4"))) {
            assertEquals(numbers(FrameSampling.indices(null, null, 25, FRAMES - 1, 0, 8)), numbers(video.sample(8)));
            assertEquals(
                    numbers(FrameSampling.indices(0.4, 1.2, 25, FRAMES - 1, 0, 5)), numbers(video.sample(5, 0.4, 1.2)));
            assertEquals(FRAMES * 2, video.sample(FRAMES * 2).size());
            assertEquals(numbers(video.sampleIndices(3)), numbers(video.sample(3)));
            assertEquals(numbers(video.sampleIndices(3, -5, 100)), numbers(video.sample(3)));
            assertThrows(InvalidOptionException.class, () -> video.sample(0));
            assertThrows(InvalidOptionException.class, () -> video.sample(4, 1, 1));
            assertThrows(InvalidOptionException.class, () -> video.sample(4, Double.NaN, 1));
            InvalidOptionException e = assertThrows(InvalidOptionException.class, () -> video.sample(4, 60, 70));
            assertTrue(String.valueOf(e.getMessage()).contains("1.92 seconds"), e.getMessage());
            assertThrows(IndexOutOfBoundsException.class, () -> video.frame(FRAMES));
            assertThrows(IndexOutOfBoundsException.class, () -> video.frame(-1));
        }
    }

    @Test
    void whatIsNoVideoIsNamed() throws IOException {
        Path file = folder.resolve("x.mp4");
        assertReason(file, "does not exist");
        assertReason(folder, "folder");
        Files.write(file, new byte[0]);
        assertReason(file, "cannot be opened");
        Files.writeString(file, "concat:/etc/passwd");
        assertReason(file, "cannot be opened");
        Files.writeString(file, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nx.ts\n#EXT-X-ENDLIST\n");
        assertReason(file, "cannot be opened");
        byte[] sound = Files.readAllBytes(resource("h264-bframes.mp4"));
        Files.write(file, Arrays.copyOf(sound, sound.length / 2));
        assertReason(file, "");
    }

    @Test
    void damagedVideosNeverSurprise() throws IOException {
        Path file = folder.resolve("x.bin");
        Random random = new Random(5);
        for (String name : List.of("h264-bframes.mp4", "hevc-open-gop.mkv")) {
            byte[] sound = Files.readAllBytes(resource(name));
            for (int i = 0; i < 40; i++) {
                byte[] bytes = i % 4 == 0 ? Arrays.copyOf(sound, random.nextInt(sound.length)) : sound.clone();
                for (int flips = i % 4 * 5; flips > 0; flips--) {
                    bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
                }
                Files.write(file, bytes);
                try (VideoFrames video = VideoFrames.open(file)) {
                    video.sample(4);
                } catch (InternVLException e) {
                    assertTrue(String.valueOf(e.getMessage()).contains(file.toString()), e.getMessage());
                }
            }
        }
    }

    @Test
    void closingTwiceIsFineAndUsingAfterwardsIsNot() throws IOException {
        VideoFrames video = VideoFrames.open(resource("h264-bframes.mp4"));
        video.frame(3);
        video.close();
        video.close();
        assertThrows(ClosedException.class, () -> video.sample(2));
        assertThrows(ClosedException.class, video::frameCount);
    }

    @Test
    void withoutFfmpegTheMessageNamesTheDependency() throws Exception {
        List<URL> urls = new ArrayList<>();
        // Surefire may put a single jar on the class path, which refers to the others; it tells them here.
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        for (String entry : classPath.split(File.pathSeparator)) {
            if (!entry.matches(".*ffmpeg-[^/\\\\]*\\.jar")) {
                urls.add(Path.of(entry).toUri().toURL());
            }
        }
        Path file = resource("h264-bframes.mp4");
        try (URLClassLoader bare = new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            Class<?> type = Class.forName(VideoFrames.class.getName(), true, bare);
            InvocationTargetException e = assertThrows(
                    InvocationTargetException.class,
                    () -> type.getMethod("open", Path.class).invoke(null, file));
            assertEquals(VideoException.class.getName(), e.getCause().getClass().getName());
            assertTrue(String.valueOf(e.getCause().getMessage()).contains("org.bytedeco:ffmpeg"));
        }
    }

    /** Forward, backward and in random order. */
    private static void assertEveryFrame(VideoFrames video) {
        assertEquals(FRAMES, video.frameCount());
        Random random = new Random(7);
        for (int i = 0; i < FRAMES; i++) {
            assertEquals(i, VideoWriter.number(video.frame(i)));
        }
        for (int i = FRAMES - 1; i >= 0; i -= 5) {
            assertEquals(i, VideoWriter.number(video.frame(i)));
        }
        for (int k = 0; k < 60; k++) {
            int i = random.nextInt(FRAMES);
            assertEquals(i, VideoWriter.number(video.frame(i)));
        }
    }

    private static List<Integer> numbers(List<Image> images) {
        return images.stream().map(VideoWriter::number).toList();
    }

    private static List<Integer> numbers(long[] indices) {
        return Arrays.stream(indices).mapToObj(Math::toIntExact).toList();
    }

    private Path resource(String name) throws IOException {
        Path file = folder.resolve(name);
        if (!Files.exists(file)) {
            try (InputStream in = VideoFramesTest.class.getResourceAsStream("/video/" + name)) {
                Files.copy(Objects.requireNonNull(in), file);
            }
        }
        return file;
    }

    private static void assertReason(Path file, String reason) {
        VideoException e = assertThrows(VideoException.class, () -> VideoFrames.open(file));
        String message = String.valueOf(e.getMessage());
        assertTrue(message.contains(file.toString()) && message.contains(reason), message);
    }
}
