package io.github.internvl4j.video;

import io.github.internvl4j.error.VideoException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The way to FFmpeg: touches none of its classes until a film is opened, and says what to add if they are missing. */
final class Ffmpeg {
    private static final String MAX_PHYSICAL_BYTES = "org.bytedeco.javacpp.maxPhysicalBytes";

    private static boolean loaded;

    private Ffmpeg() {}

    static Film open(Path file) {
        if (Files.isDirectory(file)) {
            throw new VideoException(file + " is a folder, not a film");
        }
        if (!Files.exists(file)) {
            throw new VideoException(file + " does not exist");
        }
        if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
            throw new VideoException(file + " is not a readable file");
        }
        load();
        return FfmpegFilm.open(file);
    }

    private static synchronized void load() {
        if (loaded) {
            return;
        }
        // JavaCPP would count a model's mapped weights against the Java heap and stall; see NativeLibrary.
        if (System.getProperty(MAX_PHYSICAL_BYTES) == null) {
            System.setProperty(MAX_PHYSICAL_BYTES, "0");
        }
        try {
            Class.forName("org.bytedeco.ffmpeg.global.avformat");
            FfmpegFilm.initialize();
            loaded = true;
        } catch (ClassNotFoundException e) {
            throw missing("it is not on the class path", e);
        } catch (LinkageError e) {
            throw missing("its native library cannot be loaded (" + e + ")", e);
        }
    }

    private static VideoException missing(String reason, @Nullable Throwable cause) {
        return new VideoException(
                "reading films needs FFmpeg, but " + reason + "; add the dependency org.bytedeco:ffmpeg, once as it is"
                        + " and once with your platform as the classifier, such as linux-x86_64"
                        + " (or org.bytedeco:ffmpeg-platform for all of them)",
                cause);
    }
}
