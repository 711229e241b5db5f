package io.github.internvl4j.video;

import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_decoder;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_flush_buffers;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_get_name;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_to_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_frame;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_packet;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.presets.avutil.AVERROR_EAGAIN;

import io.github.internvl4j.error.VideoException;
import io.github.internvl4j.image.ReadOptions;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.jspecify.annotations.Nullable;

/** Turns the packets of a file into frames, in the order of presentation. */
final class FrameDecoder implements AutoCloseable {
    private static final int MAX_THREADS = 8;
    private static final int MAX_ERRORS_AT_END = 64;

    private final MediaFile media;
    private final AVCodecContext codec;
    private final AVPacket packet;
    private final AVFrame frame;
    private boolean draining;
    private int lastError;
    private boolean closed;

    private FrameDecoder(MediaFile media, AVCodecContext codec, AVPacket packet, AVFrame frame) {
        this.media = media;
        this.codec = codec;
        this.packet = packet;
        this.frame = frame;
    }

    static FrameDecoder open(MediaFile media) {
        FrameDecoder decoder =
                open(media, Math.min(MAX_THREADS, Runtime.getRuntime().availableProcessors()));
        if (decoder == null) {
            decoder = open(media, 1);
        }
        if (decoder == null) {
            throw new VideoException(media.file() + " cannot be decoded: the system grants no more threads");
        }
        return decoder;
    }

    /** Null if the system grants no threads. */
    private static @Nullable FrameDecoder open(MediaFile media, int threads) {
        int id = media.parameters().codec_id();
        AVCodec decoder = avcodec_find_decoder(id);
        if (decoder == null) {
            throw new VideoException(media.file() + " is encoded as "
                    + avcodec_get_name(id).getString() + ", for which this FFmpeg has no decoder");
        }
        AVCodecContext codec = avcodec_alloc_context3(decoder);
        AVPacket packet = av_packet_alloc();
        AVFrame frame = av_frame_alloc();
        try {
            if (codec == null || packet == null || frame == null) {
                throw new VideoException(media.file() + " cannot be decoded: out of native memory");
            }
            int status = avcodec_parameters_to_context(codec, media.parameters());
            if (status >= 0) {
                codec.pkt_timebase(media.stream().time_base());
                codec.thread_count(threads);
                codec.max_pixels(ReadOptions.DEFAULT_MAX_PIXELS);
                status = avcodec_open2(codec, decoder, (AVDictionary) null);
            }
            if (status == AVERROR_EAGAIN()) {
                free(codec, packet, frame);
                return null;
            }
            if (status < 0) {
                throw new VideoException(media.file() + " cannot be decoded: " + MediaFile.reason(status));
            }
            return new FrameDecoder(media, codec, packet, frame);
        } catch (RuntimeException | Error e) {
            free(codec, packet, frame);
            throw e;
        }
    }

    /**
     * Decodes the next frame into {@link #frame()}. Packets that the decoder refuses are passed over, see
     * {@link #lastError()}.
     *
     * @return false at the end of the video
     */
    boolean next() {
        int errorsAtEnd = 0;
        while (true) {
            int status = avcodec_receive_frame(codec, frame);
            if (status >= 0) {
                return true;
            }
            if (status == AVERROR_EOF) {
                return false;
            }
            if (status != AVERROR_EAGAIN()) {
                lastError = status;
            }
            if (draining) {
                if (++errorsAtEnd > MAX_ERRORS_AT_END) {
                    return false;
                }
                continue;
            }
            if (media.read(packet)) {
                status = avcodec_send_packet(codec, packet);
                av_packet_unref(packet);
            } else {
                draining = true;
                status = avcodec_send_packet(codec, null);
            }
            if (status < 0 && status != AVERROR_EAGAIN()) {
                lastError = status;
            }
        }
    }

    /** The frame last decoded; its content changes with the next one. */
    AVFrame frame() {
        return frame;
    }

    /** The presentation time of the frame last decoded, in the stream's units. */
    long time() {
        return frame.pts() != AV_NOPTS_VALUE ? frame.pts() : frame.best_effort_timestamp();
    }

    /** The decoder's last complaint, 0 if it had none since it was opened or flushed. */
    int lastError() {
        return lastError;
    }

    /** Forgets everything, after the file was moved to another place. */
    void flush() {
        avcodec_flush_buffers(codec);
        draining = false;
        lastError = 0;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            free(codec, packet, frame);
        }
    }

    private static void free(AVCodecContext codec, AVPacket packet, AVFrame frame) {
        av_frame_free(frame);
        av_packet_free(packet);
        avcodec_free_context(codec);
    }
}
