package io.github.internvl4j.video;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_ID_VP8;
import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_FLAG_DISCARD;
import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_FLAG_KEY;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;

import io.github.internvl4j.error.VideoException;
import java.util.Arrays;
import org.bytedeco.ffmpeg.avcodec.AVPacket;

/**
 * The presentation times of a video's frames, in order, and where its key frames are. Made by reading all packets once,
 * as decord does.
 */
final class FrameIndex {
    private static final int INITIAL = 1024;

    private long[] times = new long[INITIAL];
    private int count;
    private boolean timed = true;

    /** Of each key frame the presentation time; beside it in the other array the time to seek to. */
    private long[] keyTimes = new long[INITIAL];

    private long[] keySeeks = new long[INITIAL];
    private int keyCount;

    private FrameIndex() {}

    static FrameIndex scan(MediaFile media) {
        FrameIndex index = new FrameIndex();
        boolean vp8 = media.parameters().codec_id() == AV_CODEC_ID_VP8;
        AVPacket packet = av_packet_alloc();
        if (packet == null) {
            throw new VideoException(media.file() + " cannot be read: out of native memory");
        }
        long packets = 0;
        try {
            while (media.read(packet)) {
                packets++;
                index.add(packet, vp8);
                av_packet_unref(packet);
            }
        } finally {
            av_packet_free(packet);
        }
        long declared = media.stream().nb_frames();
        if (media.format().startsWith("mov") && packets < declared) {
            throw new VideoException(media.file() + " is truncated: it has " + packets + " frames of " + declared);
        }
        if (index.count == 0) {
            throw new VideoException(media.file() + " holds no frames");
        }
        index.sort();
        return index;
    }

    private void add(AVPacket packet, boolean vp8) {
        boolean discarded = (packet.flags() & AV_PKT_FLAG_DISCARD) != 0;
        // RFC 6386, 9.1: bit 4 of a VP8 frame is show_frame; the others only serve as references.
        boolean invisible = vp8 && packet.size() > 0 && (packet.data().get(0) & 0x10) == 0;
        long time = packet.pts();
        if ((packet.flags() & AV_PKT_FLAG_KEY) != 0) {
            addKey(time, packet.dts() == AV_NOPTS_VALUE ? time : Math.min(time, packet.dts()));
        }
        if (discarded || invisible || packet.size() == 0) {
            return;
        }
        timed &= time != AV_NOPTS_VALUE;
        if (count == times.length) {
            times = Arrays.copyOf(times, grown(count));
        }
        times[count++] = time;
    }

    private void addKey(long time, long seek) {
        if (keyCount == keyTimes.length) {
            keyTimes = Arrays.copyOf(keyTimes, grown(keyCount));
            keySeeks = Arrays.copyOf(keySeeks, grown(keyCount));
        }
        keyTimes[keyCount] = time;
        keySeeks[keyCount++] = seek;
    }

    private static int grown(int size) {
        if (size > Integer.MAX_VALUE / 2) {
            throw new VideoException("a video of more than " + size + " frames is not supported");
        }
        return 2 * size;
    }

    private void sort() {
        Arrays.sort(times, 0, count);
        for (int i = 1; i < count; i++) {
            timed &= times[i] != times[i - 1];
        }
        for (int i = 1; i < keyCount; i++) {
            // Key frames come in order but for damaged files, which are then read from their start.
            timed &= keyTimes[i] > keyTimes[i - 1];
        }
    }

    int frameCount() {
        return count;
    }

    /** Whether every frame has a presentation time of its own. If not, frames can only be counted from the start. */
    boolean isTimed() {
        return timed;
    }

    /** The presentation time of a frame, in the stream's units. */
    long time(long frame) {
        return times[(int) frame];
    }

    /** The time from the first frame to the last, in the stream's units. */
    long span() {
        return times[count - 1] - times[0];
    }

    /** The last key frame presented at or before a time, by its number, or -1. */
    int keyBefore(long time) {
        int found = Arrays.binarySearch(keyTimes, 0, keyCount, time);
        return found >= 0 ? found : -found - 2;
    }

    /** The presentation time of a key frame. */
    long keyTime(int key) {
        return keyTimes[key];
    }

    /** The time to seek to for a key frame. */
    long keySeek(int key) {
        return keySeeks[key];
    }
}
