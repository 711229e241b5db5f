package io.github.internvl4j.video;

import io.github.internvl4j.error.ClosedException;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.VideoException;
import io.github.internvl4j.host.Resource;
import io.github.internvl4j.image.Image;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An open video whose frames are read by their number, as the model card's {@code load_video} does with decord.
 *
 * <p>Frame 0 is the first that is shown, and so on in the order of presentation, at constant or variable rate. Frames
 * that a file holds but does not show (cut off by an edit list, or invisible VP8 ones) do not count. Images are RGB
 * in the video's size, turned upright if the video says how it was held. The file's colour matrix and range are obeyed.
 *
 * <p>Methods may be called from any thread; they take turns. A video that is forgotten is closed when it is garbage.
 *
 * <pre>{@code
 * try (VideoFrames video = VideoFrames.open(file)) {
 *     List<Image> frames = video.sample(8);
 * }
 * }</pre>
 */
public final class VideoFrames implements AutoCloseable {
    private final Path file;
    private final Resource owned;
    private @Nullable Video video;

    private VideoFrames(Path file, Video video) {
        this.file = file;
        this.video = video;
        owned = new Resource(this, "the video", video::close);
    }

    /**
     * Opens a video and numbers its frames, for which the file is read once.
     *
     * @param file a video in any common container: MP4, MOV, MKV, WebM, AVI, MPEG-TS and others; on the default file system,
     *     since FFmpeg opens it by its name
     * @return the open video, to be closed by the caller
     * @throws VideoException if the file is missing, damaged, truncated, or holds no video that can be decoded; or if
     *     FFmpeg is not on the class path, in which case the message names the dependency to add
     */
    public static VideoFrames open(Path file) {
        Objects.requireNonNull(file, "file");
        return new VideoFrames(file, Ffmpeg.open(file));
    }

    /**
     * How many frames the video has: decord's {@code len(reader)}, for videos without hidden frames.
     *
     * @return at least 1
     * @throws ClosedException if this was closed
     */
    public synchronized long frameCount() {
        return open().frameCount();
    }

    /**
     * The average number of frames a second, as the container has it: decord's {@code get_avg_fps()}.
     *
     * @return finite and above 0
     * @throws ClosedException if this was closed
     */
    public synchronized double averageFps() {
        return open().averageFps();
    }

    /**
     * The width of the images.
     *
     * @return in pixels, as seen upright
     * @throws ClosedException if this was closed
     */
    public synchronized int width() {
        return open().width();
    }

    /**
     * The height of the images.
     *
     * @return in pixels, as seen upright
     * @throws ClosedException if this was closed
     */
    public synchronized int height() {
        return open().height();
    }

    /**
     * The numbers of the frames that {@link #sample(int)} returns. With them a caller can read the frames one at a
     * time.
     *
     * @param numSegments how many, from 1 to {@link FrameSampling#MAX_SEGMENTS}
     * @return numbers from 0 to {@code frameCount() - 1}, never falling
     * @throws InvalidOptionException if {@code numSegments} is out of its range
     * @throws ClosedException if this was closed
     */
    public long[] sampleIndices(int numSegments) {
        return indices(numSegments, null, null);
    }

    /**
     * The numbers of the frames that {@link #sample(int, double, double)} returns.
     *
     * @param numSegments how many, from 1 to {@link FrameSampling#MAX_SEGMENTS}
     * @param start of the stretch in seconds; before the video's start counts as its start
     * @param end of the stretch in seconds, above {@code start}; after the video's end counts as its end
     * @return numbers from 0 to {@code frameCount() - 1}, never falling
     * @throws InvalidOptionException if an argument is out of its range, or the video is over before the stretch begins
     * @throws ClosedException if this was closed
     */
    public long[] sampleIndices(int numSegments, double start, double end) {
        return indices(numSegments, start, end);
    }

    /**
     * Frames that stand for the whole video: the middles of {@code numSegments} equal segments.
     *
     * @param numSegments how many, from 1 to {@link FrameSampling#MAX_SEGMENTS}
     * @return that many images, in order; equal ones where the video has fewer frames
     * @throws InvalidOptionException if {@code numSegments} is out of its range
     * @throws VideoException if a frame cannot be decoded
     * @throws ClosedException if this was closed
     */
    public List<Image> sample(int numSegments) {
        return frames(indices(numSegments, null, null));
    }

    /**
     * Frames that stand for a stretch of the video: the middles of {@code numSegments} equal segments of it.
     *
     * @param numSegments how many, from 1 to {@link FrameSampling#MAX_SEGMENTS}
     * @param start of the stretch in seconds; before the video's start counts as its start
     * @param end of the stretch in seconds, above {@code start}; after the video's end counts as its end
     * @return that many images, in order; equal ones where the stretch has fewer frames
     * @throws InvalidOptionException if an argument is out of its range, or the video is over before the stretch begins
     * @throws VideoException if a frame cannot be decoded
     * @throws ClosedException if this was closed
     */
    public List<Image> sample(int numSegments, double start, double end) {
        return frames(indices(numSegments, start, end));
    }

    /**
     * One frame. Going forward is cheap; going back decodes again from the key frame before.
     *
     * @param index from 0 to {@code frameCount() - 1}
     * @return the image
     * @throws IndexOutOfBoundsException if there is no such frame
     * @throws VideoException if the frame cannot be decoded
     * @throws ClosedException if this was closed
     */
    public synchronized Image frame(long index) {
        Video open = open();
        if (index < 0 || index >= open.frameCount()) {
            throw new IndexOutOfBoundsException("frame " + index + " of " + file + ", which has " + open.frameCount());
        }
        return open.frame(index);
    }

    /** Frees all memory; closing twice does nothing. Waits for a frame that is being read. */
    @Override
    public synchronized void close() {
        video = null;
        owned.close();
    }

    private Video open() {
        if (video == null) {
            throw new ClosedException("the video " + file + " was closed");
        }
        return video;
    }

    private synchronized long[] indices(int numSegments, @Nullable Double start, @Nullable Double end) {
        Video open = open();
        if (start != null && end != null && !(start < end)) {
            throw new InvalidOptionException(
                    "the stretch from " + start + " to " + end + " seconds must end after it starts");
        }
        long last = open.frameCount() - 1;
        long[] indices = FrameSampling.indices(start, end, open.averageFps(), last, 0, numSegments);
        for (long index : indices) {
            if (index < 0 || index > last) {
                throw new InvalidOptionException("the stretch from " + start + " to " + end + " seconds lies outside "
                        + file + ", which is " + (float) (open.frameCount() / open.averageFps()) + " seconds long");
            }
        }
        return indices;
    }

    private List<Image> frames(long[] indices) {
        List<Image> frames = new ArrayList<>(indices.length);
        for (long index : indices) {
            frames.add(frame(index));
        }
        return frames;
    }
}
