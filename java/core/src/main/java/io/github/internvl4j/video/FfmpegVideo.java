package io.github.internvl4j.video;

import static org.bytedeco.ffmpeg.global.avutil.AV_LOG_QUIET;
import static org.bytedeco.ffmpeg.global.avutil.av_log_set_level;

import io.github.internvl4j.error.VideoException;
import io.github.internvl4j.host.NativeCode;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.ReadOptions;
import java.nio.file.Path;
import org.bytedeco.ffmpeg.global.avcodec;
import org.bytedeco.ffmpeg.global.avformat;
import org.bytedeco.ffmpeg.global.avutil;
import org.bytedeco.ffmpeg.global.swscale;
import org.jspecify.annotations.Nullable;

/**
 * A video decoded by FFmpeg, with exact frames.
 *
 * <p>A frame is known by its presentation time: the file is moved to a key frame before it and decoded until that time
 * comes out. If decoding goes past it (a key frame that leans on frames before it), an earlier key frame is tried, in
 * the end the start of the file. Videos without usable times are decoded from the start and counted.
 */
final class FfmpegVideo implements Video {
    /** Decoding on over this many frames is cheaper than moving to a key frame in between. */
    private static final int SHORT_WAY = 24;

    private static final int TRIES = 3;

    private final Path file;
    private final FrameIndex index;
    private final FrameConverter converter;
    private final double fps;
    private MediaFile media;
    private FrameDecoder decoder;

    /** Whether the decoder holds a frame, and its number. */
    private boolean holding;

    private long position = -1;
    private long convertedIndex = -1;
    private @Nullable Image converted;

    private FfmpegVideo(
            Path file, FrameIndex index, FrameConverter converter, double fps, MediaFile media, FrameDecoder decoder) {
        this.file = file;
        this.index = index;
        this.converter = converter;
        this.fps = fps;
        this.media = media;
        this.decoder = decoder;
    }

    /** Loads the native libraries and silences their log, once. */
    static void initialize() {
        NativeCode.load(
                Ffmpeg.ARTIFACT,
                () -> av_log_set_level(AV_LOG_QUIET),
                avutil.class,
                avcodec.class,
                avformat.class,
                swscale.class);
    }

    static FfmpegVideo open(Path file) {
        MediaFile media = MediaFile.open(file);
        FrameDecoder decoder = null;
        try {
            int width = media.parameters().width();
            int height = media.parameters().height();
            if (width <= 0 || height <= 0) {
                throw new VideoException(file + " has no image size");
            }
            if ((long) width * height > ReadOptions.DEFAULT_MAX_PIXELS) {
                throw new VideoException(file + " has frames of " + width + "x" + height + " pixels, more than "
                        + ReadOptions.DEFAULT_MAX_PIXELS);
            }
            FrameIndex index = FrameIndex.scan(media);
            FrameConverter converter = new FrameConverter(file, width, height, media.rotation());
            double fps = rate(media, index);
            // The scan left the file at its end, and not every container can go back.
            media.close();
            media = MediaFile.open(file);
            decoder = FrameDecoder.open(media);
            return new FfmpegVideo(file, index, converter, fps, media, decoder);
        } catch (RuntimeException | Error e) {
            if (decoder != null) {
                decoder.close();
            }
            media.close();
            throw e;
        }
    }

    private static double rate(MediaFile media, FrameIndex index) {
        double fps = media.averageFps();
        if (Double.isNaN(fps)) {
            fps = (index.frameCount() - 1) / (index.span() * media.timeBase());
        }
        return fps > 0 && Double.isFinite(fps) ? fps : 1; // a single image
    }

    @Override
    public long frameCount() {
        return index.frameCount();
    }

    @Override
    public double averageFps() {
        return fps;
    }

    @Override
    public int width() {
        return converter.uprightWidth();
    }

    @Override
    public int height() {
        return converter.uprightHeight();
    }

    @Override
    public Image frame(long wanted) {
        if (converted == null || convertedIndex != wanted) {
            if (index.isTimed()) {
                decodeByTime(wanted);
            } else {
                decodeByCount(wanted);
            }
            converted = converter.convert(decoder.frame());
            convertedIndex = wanted;
        }
        return converted;
    }

    /** Decodes until the frame's time comes out; leaves the decoder holding that frame. */
    private void decodeByTime(long wanted) {
        long time = index.time(wanted);
        int key = index.keyBefore(time);
        boolean near = holding
                && decoder.time() <= time
                && (wanted - position <= SHORT_WAY || key < 0 || index.keyTime(key) <= decoder.time());
        boolean fromStart = false;
        if (!near) {
            fromStart = moveTo(key);
        }
        for (int attempt = 0; ; attempt++) {
            while (!holding || decoder.time() < time) {
                if (!step()) {
                    break;
                }
            }
            boolean exact = holding && decoder.time() == time;
            if (exact || fromStart) {
                break;
            }
            // Passed it or never met it: begin earlier.
            key = attempt + 1 < TRIES ? key - 1 : -1;
            fromStart = moveTo(key);
        }
        if (!holding) {
            throw undecodable(wanted);
        }
        // From the start and still not met: the decoder never shows it, so the next frame stands for it.
        position = wanted;
    }

    /** Goes to a key frame, or with a negative number to the start of the file; true if it went to the start. */
    private boolean moveTo(int key) {
        holding = false;
        if (key >= 0 && media.seek(index.keySeek(key))) {
            decoder.flush();
            return false;
        }
        reopen();
        return true;
    }

    private void reopen() {
        holding = false;
        position = -1;
        decoder.close();
        media.close();
        media = MediaFile.open(file);
        decoder = FrameDecoder.open(media);
    }

    private boolean step() {
        holding = decoder.next();
        return holding;
    }

    /** Counts frames from the start. If fewer come out than the file has packets, the last one stands for the rest. */
    private void decodeByCount(long wanted) {
        if (position > wanted || !holding && position >= 0) {
            reopen();
        }
        while (position < wanted) {
            if (!step()) {
                long decoded = position;
                if (decoded < 0 || decoder.lastError() != 0) {
                    throw undecodable(wanted);
                }
                reopen();
                while (position < decoded && step()) {
                    position++;
                }
                if (!holding) {
                    throw undecodable(wanted);
                }
                return;
            }
            position++;
        }
    }

    private VideoException undecodable(long wanted) {
        String reason = decoder.lastError() == 0 ? "" : ": " + MediaFile.reason(decoder.lastError());
        return new VideoException(
                file + ": frame " + wanted + " of " + index.frameCount() + " cannot be decoded" + reason);
    }

    @Override
    public void close() {
        converted = null;
        decoder.close();
        media.close();
    }
}
