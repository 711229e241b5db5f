package io.github.internvl4j.video;

import static org.bytedeco.ffmpeg.global.avcodec.AVDISCARD_ALL;
import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_DATA_DISPLAYMATRIX;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_side_data_get;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avformat.AVSEEK_FLAG_BACKWARD;
import static org.bytedeco.ffmpeg.global.avformat.av_find_best_stream;
import static org.bytedeco.ffmpeg.global.avformat.av_read_frame;
import static org.bytedeco.ffmpeg.global.avformat.av_seek_frame;
import static org.bytedeco.ffmpeg.global.avformat.avformat_close_input;
import static org.bytedeco.ffmpeg.global.avformat.avformat_find_stream_info;
import static org.bytedeco.ffmpeg.global.avformat.avformat_open_input;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AVMEDIA_TYPE_VIDEO;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_free;
import static org.bytedeco.ffmpeg.global.avutil.av_dict_set;
import static org.bytedeco.ffmpeg.global.avutil.av_display_rotation_get;
import static org.bytedeco.ffmpeg.global.avutil.av_strerror;

import io.github.internvl4j.error.VideoException;
import io.github.internvl4j.host.FileProblems;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avcodec.AVPacketSideData;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVRational;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;

/** An open container and its best video stream: the packets of that stream one after the other. */
final class MediaFile implements AutoCloseable {
    /**
     * The containers that are read. Left out are FFmpeg's scripts and playlists (HLS, concat and such), which make it
     * open other files and addresses that a hostile file names.
     */
    private static final String CONTAINERS = "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,mxf,nut,ivf,obu,h264,"
            + "hevc,vvc,m4v,dv,rm,wtv,gif,apng,mjpeg,yuv4mpegpipe";

    private final Path file;
    private final AVFormatContext context;
    private final int streamIndex;
    private boolean closed;

    private MediaFile(Path file, AVFormatContext context, int streamIndex) {
        this.file = file;
        this.context = context;
        this.streamIndex = streamIndex;
    }

    static MediaFile open(Path file) {
        AVFormatContext context = new AVFormatContext(null);
        AVDictionary options = new AVDictionary(null);
        // The protocol in front keeps a file's name from being taken for one, such as "concat:a|b".
        try (BytePointer url = new BytePointer(url(file))) {
            av_dict_set(options, "protocol_whitelist", "file", 0);
            av_dict_set(options, "format_whitelist", CONTAINERS, 0);
            int status = avformat_open_input(context, url, null, options);
            if (status < 0) {
                throw new VideoException(file + " cannot be opened as a video: " + reason(status));
            }
        } finally {
            av_dict_free(options);
        }
        try {
            int status = avformat_find_stream_info(context, (AVDictionary) null);
            if (status < 0) {
                throw new VideoException(file + " cannot be read as a video: " + reason(status));
            }
            int stream = av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, (AVCodec) null, 0);
            if (stream < 0) {
                throw new VideoException(file + " holds no video, only sound or other data");
            }
            for (int i = 0; i < context.nb_streams(); i++) {
                if (i != stream) {
                    context.streams(i).discard(AVDISCARD_ALL);
                }
            }
            return new MediaFile(file, context, stream);
        } catch (RuntimeException | Error e) {
            avformat_close_input(context);
            throw e;
        }
    }

    private static byte[] url(Path file) {
        byte[] name = FileProblems.nativeName(file.toAbsolutePath());
        ByteBuffer url = ByteBuffer.allocate(name.length + 6);
        return url.put(new byte[] {'f', 'i', 'l', 'e', ':'}).put(name).array(); // and the zero at its end
    }

    /** What an FFmpeg status means. */
    static String reason(int status) {
        byte[] text = new byte[256];
        av_strerror(status, text, text.length);
        int end = 0;
        while (end < text.length && text[end] != 0) {
            end++;
        }
        return new String(text, 0, end, StandardCharsets.UTF_8);
    }

    Path file() {
        return file;
    }

    AVStream stream() {
        return context.streams(streamIndex);
    }

    AVCodecParameters parameters() {
        return stream().codecpar();
    }

    /** The name of the container's format, such as {@code mov,mp4,m4a,3gp,3g2,mj2}. */
    String format() {
        return context.iformat().name().getString();
    }

    /**
     * The average rate in frames a second, or the container's base rate if it has no average.
     *
     * @return NaN if it has neither
     */
    double averageFps() {
        for (AVRational rate :
                new AVRational[] {stream().avg_frame_rate(), stream().r_frame_rate()}) {
            if (rate.num() > 0 && rate.den() > 0) {
                return (double) rate.num() / rate.den();
            }
        }
        return Double.NaN;
    }

    /** Seconds a unit of time stamps, or NaN. */
    double timeBase() {
        AVRational base = stream().time_base();
        return base.num() > 0 && base.den() > 0 ? (double) base.num() / base.den() : Double.NaN;
    }

    /** By how many degrees clockwise an image must be turned to stand upright: 0, 90, 180 or 270. */
    int rotation() {
        AVCodecParameters parameters = parameters();
        AVPacketSideData matrix = av_packet_side_data_get(
                parameters.coded_side_data(), parameters.nb_coded_side_data(), AV_PKT_DATA_DISPLAYMATRIX);
        if (matrix == null || matrix.isNull() || matrix.size() < 9 * Integer.BYTES) {
            return 0;
        }
        double degrees = -av_display_rotation_get(new IntPointer(matrix.data()));
        if (!Double.isFinite(degrees)) {
            return 0;
        }
        long rounded = Math.floorMod(Math.round(degrees), 360L);
        return rounded % 90 == 0 ? (int) rounded : 0;
    }

    /**
     * Reads the stream's next packet, in the order of decoding.
     *
     * @param packet where to; empty, and to be emptied by the caller
     * @return false at the end of the file
     * @throws VideoException if the file is damaged here
     */
    boolean read(AVPacket packet) {
        while (true) {
            int status = av_read_frame(context, packet);
            if (status == AVERROR_EOF) {
                return false;
            }
            if (status < 0) {
                throw new VideoException(file + " cannot be read to its end: " + reason(status));
            }
            if (packet.stream_index() == streamIndex) {
                return true;
            }
            av_packet_unref(packet);
        }
    }

    /** Goes to the last key frame at or before a decoding time stamp; false if the container cannot. */
    boolean seek(long timestamp) {
        return av_seek_frame(context, streamIndex, timestamp, AVSEEK_FLAG_BACKWARD) >= 0;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            avformat_close_input(context);
        }
    }
}
