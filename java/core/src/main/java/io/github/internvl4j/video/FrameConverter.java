package io.github.internvl4j.video;

import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_JPEG;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_NONE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGB24;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;
import static org.bytedeco.ffmpeg.global.swscale.SWS_BILINEAR;
import static org.bytedeco.ffmpeg.global.swscale.sws_freeContext;
import static org.bytedeco.ffmpeg.global.swscale.sws_getCoefficients;
import static org.bytedeco.ffmpeg.global.swscale.sws_getContext;
import static org.bytedeco.ffmpeg.global.swscale.sws_scale;
import static org.bytedeco.ffmpeg.global.swscale.sws_setColorspaceDetails;

import io.github.internvl4j.error.VideoException;
import io.github.internvl4j.image.Image;
import java.nio.file.Path;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.swscale.SwsContext;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.IntPointer;

/**
 * From decoded frames to RGB images of one size, upright. As decord does it: swscale with the settings of FFmpeg's
 * scale filter (bilinear, the frame's own colour matrix and range), then a turn by the video's rotation.
 */
final class FrameConverter {
    private static final int UNITY = 1 << 16;

    private final Path file;
    private final int width;
    private final int height;
    private final int rotation;

    /**
     * A converter.
     *
     * @param file the video, for messages
     * @param width of the frames before the turn
     * @param height likewise
     * @param rotation clockwise: 0, 90, 180 or 270 degrees
     */
    FrameConverter(Path file, int width, int height, int rotation) {
        this.file = file;
        this.width = width;
        this.height = height;
        this.rotation = rotation;
    }

    private boolean turned() {
        return rotation % 180 != 0;
    }

    int uprightWidth() {
        return turned() ? height : width;
    }

    int uprightHeight() {
        return turned() ? width : height;
    }

    Image convert(AVFrame frame) {
        if (frame.width() <= 0 || frame.height() <= 0 || frame.format() == AV_PIX_FMT_NONE) {
            throw new VideoException(file + " has a frame without pixels");
        }
        SwsContext scaler = sws_getContext(
                frame.width(),
                frame.height(),
                frame.format(),
                width,
                height,
                AV_PIX_FMT_RGB24,
                SWS_BILINEAR,
                null,
                null,
                (DoublePointer) null);
        if (scaler == null) {
            throw new VideoException(file + " has frames in a pixel format that cannot become RGB");
        }
        AVFrame rgb = av_frame_alloc();
        try {
            IntPointer matrix = sws_getCoefficients(frame.colorspace());
            int fullRange = frame.color_range() == AVCOL_RANGE_JPEG ? 1 : 0;
            sws_setColorspaceDetails(scaler, matrix, fullRange, matrix, 1, 0, UNITY, UNITY);
            if (rgb == null) {
                throw new VideoException(file + " cannot be decoded: out of native memory");
            }
            rgb.format(AV_PIX_FMT_RGB24);
            rgb.width(width);
            rgb.height(height);
            int status = av_frame_get_buffer(rgb, 0);
            if (status >= 0) {
                status = sws_scale(
                        scaler, frame.data(), frame.linesize(), 0, frame.height(), rgb.data(), rgb.linesize());
            }
            if (status < 0) {
                throw new VideoException(file + " has a frame that cannot become RGB: " + MediaFile.reason(status));
            }
            return upright(rgb);
        } finally {
            av_frame_free(rgb);
            sws_freeContext(scaler);
        }
    }

    private Image upright(AVFrame rgb) {
        byte[] pixels = new byte[3 * width * height];
        BytePointer data = rgb.data(0);
        for (int y = 0; y < height; y++) {
            data.position((long) y * rgb.linesize(0)).get(pixels, 3 * width * y, 3 * width);
        }
        if (rotation == 0) {
            return Image.ofRgb(width, height, pixels);
        }
        byte[] turned = new byte[pixels.length];
        int to = 0;
        for (int y = 0; y < uprightHeight(); y++) {
            for (int x = 0; x < uprightWidth(); x++) {
                int fromX = rotation == 90 ? y : width - 1 - (rotation == 180 ? x : y);
                int fromY = rotation == 270 ? x : height - 1 - (rotation == 180 ? y : x);
                int from = 3 * (fromY * width + fromX);
                turned[to++] = pixels[from];
                turned[to++] = pixels[from + 1];
                turned[to++] = pixels[from + 2];
            }
        }
        return Image.ofRgb(uprightWidth(), uprightHeight(), turned);
    }
}
