package io.github.internvl4j.video;

import io.github.internvl4j.error.NativeLibraryException;
import io.github.internvl4j.error.VideoException;
import io.github.internvl4j.host.FileProblems;
import io.github.internvl4j.host.FirstUse;
import io.github.internvl4j.host.Garbage;
import io.github.internvl4j.host.Shortage;
import java.io.IOException;
import java.nio.file.AccessMode;
import java.nio.file.Files;
import java.nio.file.Path;

/** The way to FFmpeg: touches none of its classes until a video is opened, and says what to add if they are missing. */
final class Ffmpeg {
    static final String ARTIFACT = "org.bytedeco:ffmpeg";

    private static boolean loaded;

    private Ffmpeg() {}

    static Video open(Path file) {
        if (!FileProblems.isOnDisk(file)) {
            throw new VideoException(FileProblems.notOnDisk(file, "FFmpeg"));
        }
        if (Files.isDirectory(file)) {
            throw new VideoException(file + " is a folder, not a video");
        }
        try {
            file.getFileSystem().provider().checkAccess(file, AccessMode.READ);
        } catch (IOException e) {
            throw new VideoException(FileProblems.describe(file, "opened", e), e);
        }
        if (!Files.isRegularFile(file)) {
            throw new VideoException(file + " is a device or a pipe, not a file");
        }
        String shortage = FirstUse.shortage();
        if (shortage != null) {
            throw new VideoException(file + " cannot be read: " + shortage);
        }
        load();
        return FfmpegVideo.open(file);
    }

    private static synchronized void load() {
        if (loaded) {
            return;
        }
        try {
            // Not initialized: a class whose initializer fails is lost.
            Class.forName("org.bytedeco.ffmpeg.global.avformat", false, Ffmpeg.class.getClassLoader());
            FfmpegVideo.initialize();
            Garbage.cleaner();
            loaded = true;
        } catch (ClassNotFoundException e) {
            throw new VideoException(
                    "reading videos needs FFmpeg, but it is not on the class path; add the dependency " + ARTIFACT
                            + ", once as it is and once with your platform as the classifier, such as linux-x86_64"
                            + " (or org.bytedeco:ffmpeg-platform for all of them)",
                    e);
        } catch (NativeLibraryException e) {
            throw new VideoException("reading videos needs FFmpeg, but " + e.getMessage(), e);
        } catch (OutOfMemoryError e) {
            throw new VideoException("reading videos needs FFmpeg, but it cannot be used: " + Shortage.of(e), e);
        }
    }
}
