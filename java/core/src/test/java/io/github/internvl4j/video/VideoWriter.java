package io.github.internvl4j.video;

import static org.bytedeco.ffmpeg.global.avcodec.AV_CODEC_FLAG_GLOBAL_HEADER;
import static org.bytedeco.ffmpeg.global.avcodec.FF_COMPLIANCE_UNOFFICIAL;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_rescale_ts;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_encoder_by_name;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_from_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_packet;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_frame;
import static org.bytedeco.ffmpeg.global.avformat.AVFMT_GLOBALHEADER;
import static org.bytedeco.ffmpeg.global.avformat.AVIO_FLAG_WRITE;
import static org.bytedeco.ffmpeg.global.avformat.av_interleaved_write_frame;
import static org.bytedeco.ffmpeg.global.avformat.av_write_trailer;
import static org.bytedeco.ffmpeg.global.avformat.avformat_alloc_output_context2;
import static org.bytedeco.ffmpeg.global.avformat.avformat_free_context;
import static org.bytedeco.ffmpeg.global.avformat.avformat_new_stream;
import static org.bytedeco.ffmpeg.global.avformat.avformat_write_header;
import static org.bytedeco.ffmpeg.global.avformat.avio_closep;
import static org.bytedeco.ffmpeg.global.avformat.avio_open;
import static org.bytedeco.ffmpeg.global.avutil.AV_LOG_QUIET;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_YUV420P;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_make_writable;
import static org.bytedeco.ffmpeg.global.avutil.av_log_set_level;
import static org.bytedeco.ffmpeg.global.avutil.av_make_q;

import io.github.internvl4j.image.Image;
import java.nio.file.Path;
import java.util.function.IntToLongFunction;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVIOContext;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.javacpp.BytePointer;
import org.jspecify.annotations.Nullable;

/** Makes small videos in which frame {@code i} shows the bits of {@code i}: white blocks of 8x8 pixels, lowest first. */
final class VideoWriter {
    static final int WIDTH = 80;
    static final int HEIGHT = 16;

    private VideoWriter() {}

    /**
     * Writes a video.
     *
     * @param file its name's end decides the container
     * @param encoder an FFmpeg encoder
     * @param frames how many
     * @param keyDistance frames between key frames, at most
     * @param bFrames B-frames in a row, at most
     * @param millis the time of each frame; null for 25 frames a second
     * @return false if this FFmpeg has no such encoder
     */
    static boolean write(
            Path file, String encoder, int frames, int keyDistance, int bFrames, @Nullable IntToLongFunction millis) {
        av_log_set_level(AV_LOG_QUIET);
        AVCodec codec = avcodec_find_encoder_by_name(encoder);
        if (codec == null) {
            return false;
        }
        AVFormatContext container = new AVFormatContext(null);
        check(avformat_alloc_output_context2(container, null, null, file.toString()));
        AVCodecContext context = avcodec_alloc_context3(codec);
        context.width(WIDTH).height(HEIGHT).pix_fmt(AV_PIX_FMT_YUV420P);
        context.time_base(av_make_q(1, millis == null ? 25 : 1000)).framerate(av_make_q(25, 1));
        context.gop_size(keyDistance).max_b_frames(bFrames).bit_rate(2_000_000);
        context.strict_std_compliance(FF_COMPLIANCE_UNOFFICIAL); // for Motion JPEG in this pixel format
        if ((container.oformat().flags() & AVFMT_GLOBALHEADER) != 0) {
            context.flags(context.flags() | AV_CODEC_FLAG_GLOBAL_HEADER);
        }
        check(avcodec_open2(context, codec, (AVDictionary) null));
        AVStream stream = avformat_new_stream(container, null);
        stream.time_base(context.time_base());
        check(avcodec_parameters_from_context(stream.codecpar(), context));
        AVIOContext io = new AVIOContext(null);
        check(avio_open(io, file.toString(), AVIO_FLAG_WRITE));
        container.pb(io);
        check(avformat_write_header(container, (AVDictionary) null));

        AVFrame frame = av_frame_alloc();
        frame.format(AV_PIX_FMT_YUV420P);
        frame.width(WIDTH);
        frame.height(HEIGHT);
        check(av_frame_get_buffer(frame, 0));
        AVPacket packet = av_packet_alloc();
        for (int i = 0; i <= frames; i++) {
            if (i < frames) {
                check(av_frame_make_writable(frame));
                draw(frame, i);
                frame.pts(millis == null ? i : millis.applyAsLong(i));
            }
            check(avcodec_send_frame(context, i < frames ? frame : null));
            while (avcodec_receive_packet(context, packet) >= 0) {
                packet.duration(millis == null ? 1 : 7); // without it MP4 cuts the last frame off
                av_packet_rescale_ts(packet, context.time_base(), stream.time_base());
                check(av_interleaved_write_frame(container, packet));
            }
        }
        check(av_write_trailer(container));
        av_packet_free(packet);
        av_frame_free(frame);
        avcodec_free_context(context);
        avio_closep(container.pb());
        avformat_free_context(container);
        return true;
    }

    private static void draw(AVFrame frame, int number) {
        for (int y = 0; y < HEIGHT; y++) {
            BytePointer row = new BytePointer(frame.data(0)).position((long) y * frame.linesize(0));
            for (int x = 0; x < WIDTH; x++) {
                boolean white = y >= 4 && y < 12 && x >= 4 && x < 68 && (number >> (x - 4) / 8 & 1) != 0;
                row.put(x, (byte) (white ? 235 : 16));
            }
        }
        for (int plane = 1; plane < 3; plane++) {
            BytePointer chroma = new BytePointer(frame.data(plane));
            for (int i = 0; i < HEIGHT / 2 * frame.linesize(plane); i++) {
                chroma.put(i, (byte) 128);
            }
        }
    }

    /** The number that an image shows, whichever way the video was compressed. */
    static int number(Image image) {
        int number = 0;
        for (int bit = 0; bit < 8; bit++) {
            number |= (image.pixel(8 + 8 * bit, 8) >> 8 & 0xff) > 128 ? 1 << bit : 0;
        }
        return number;
    }

    private static void check(int status) {
        if (status < 0) {
            throw new IllegalStateException("FFmpeg: " + MediaFile.reason(status));
        }
    }
}
