package io.github.internvl4j.host;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.video.VideoFrames;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;

/**
 * The main class of child JVMs: uses the native library, images and a video for the first time, and prints
 * what came of it.
 */
final class FirstLoad {
    private static final int SPARE = 10;

    private FirstLoad() {}

    /**
     * Uses everything once, or twice if something is to be short the first time.
     *
     * @param arguments "files", "threads" or neither, for what is short; then files of images and videos
     */
    public static void main(String[] arguments) throws IOException {
        Files.exists(Path.of("/")); // the JDK's own first use of files
        List<String> files = new ArrayList<>(List.of(arguments));
        if (files.remove("files")) {
            List<FileInputStream> hoard = new ArrayList<>();
            takeDescriptors(hoard);
            useAll(files);
            for (FileInputStream stream : hoard) {
                stream.close();
            }
        }
        if (files.remove("threads")) {
            CountDownLatch end = new CountDownLatch(1);
            List<Thread> hoard = takeThreads(end);
            useAll(files);
            end.countDown();
            for (Thread thread : hoard) {
                while (thread.isAlive()) {
                    Thread.onSpinWait();
                }
            }
        }
        useAll(files);
    }

    private static List<Thread> takeThreads(CountDownLatch end) {
        List<Thread> hoard = new ArrayList<>();
        try {
            while (true) {
                Thread thread = new Thread(() -> {
                    try {
                        end.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                });
                thread.start();
                hoard.add(thread);
            }
        } catch (OutOfMemoryError full) {
            return hoard;
        }
    }

    /** All but what the JVM needs to load classes from folders. */
    private static void takeDescriptors(List<FileInputStream> hoard) throws IOException {
        try {
            while (true) {
                hoard.add(new FileInputStream("/dev/null"));
            }
        } catch (IOException full) {
            for (int i = 0; i < SPARE; i++) {
                hoard.remove(0).close();
            }
        }
    }

    private static void useAll(List<String> files) {
        show(InternVL::version);
        for (String file : files) {
            Path path = Path.of(file);
            show(() -> file.endsWith(".mp4") ? frame(path) : Image.read(path));
        }
    }

    private static Image frame(Path video) {
        try (VideoFrames frames = VideoFrames.open(video)) {
            return frames.frame(0);
        }
    }

    private static void show(Callable<?> use) {
        try {
            System.out.println("done: " + use.call());
        } catch (Throwable e) {
            System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
        }
    }
}
