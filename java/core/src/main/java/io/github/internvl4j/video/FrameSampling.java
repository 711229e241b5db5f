package io.github.internvl4j.video;

import io.github.internvl4j.error.InvalidOptionException;
import org.jspecify.annotations.Nullable;

/** Which frames stand for a video: the model card's {@code get_index}, with Python's and NumPy's rounding. */
public final class FrameSampling {
    /** The most segments a video can be cut into: far more than a context holds, and no danger to memory. */
    public static final int MAX_SEGMENTS = 100_000;

    /** The bound of the card for a video that is taken whole, in seconds. */
    private static final double UNBOUNDED = 100_000;

    private FrameSampling() {}

    /**
     * The middle frames of equal segments of a stretch of video:
     *
     * <pre>
     * start = max(firstFrame, round(t0 * fps)), end = min(round(t1 * fps), lastFrame), seg = (end - start) / n
     * frame i = int(start + seg / 2 + round(seg * i))
     * </pre>
     *
     * Both roundings take halves to even numbers, {@code int} cuts towards zero. As in the card nothing keeps a stretch
     * that lies outside the video from giving frames that do not exist; {@link VideoFrames} refuses those.
     *
     * @param start of the stretch in seconds; null for the video's start. Given together with {@code end} or not at all
     * @param end of the stretch in seconds; null for the video's end, or 100,000 seconds if that comes first
     * @param fps average frames a second, finite and above 0
     * @param lastFrame the video's last frame, the number of frames less 1
     * @param firstFrame the first frame that may be taken, 0 in the card
     * @param numSegments how many frames, from 1 to {@link #MAX_SEGMENTS}
     * @return {@code numSegments} frame numbers, never falling if {@code start <= end}; equal ones where the video has
     *     fewer frames than segments
     * @throws InvalidOptionException if an argument is out of its range, NaN, or only one bound is given
     */
    public static long[] indices(
            @Nullable Double start,
            @Nullable Double end,
            double fps,
            long lastFrame,
            long firstFrame,
            int numSegments) {
        if (numSegments < 1 || numSegments > MAX_SEGMENTS) {
            throw new InvalidOptionException(
                    "numSegments is " + numSegments + ", it must be from 1 to " + MAX_SEGMENTS);
        }
        if (!(fps > 0) || Double.isInfinite(fps)) {
            throw new InvalidOptionException("fps is " + fps + ", it must be finite and above 0");
        }
        if ((start == null) != (end == null)) {
            throw new InvalidOptionException("the start and the end of a stretch of video go together or not at all");
        }
        double from = seconds("start", start, -UNBOUNDED);
        double to = seconds("end", end, UNBOUNDED);
        double firstIndex = Math.max((double) firstFrame, Math.rint(from * fps));
        double endIndex = Math.min(Math.rint(to * fps), (double) lastFrame);
        double segment = (endIndex - firstIndex) / numSegments;
        long[] frames = new long[numSegments];
        for (int i = 0; i < numSegments; i++) {
            frames[i] = (long) (firstIndex + segment / 2 + Math.rint(segment * i));
        }
        return frames;
    }

    private static double seconds(String name, @Nullable Double value, double otherwise) {
        double seconds = value == null ? otherwise : value;
        if (!Double.isFinite(seconds)) {
            throw new InvalidOptionException(name + " is " + seconds + ", it must be a finite number of seconds");
        }
        return seconds;
    }
}
