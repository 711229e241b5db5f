package io.github.internvl4j.server;

import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.error.VideoException;
import io.github.internvl4j.image.DataUri;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.ReadOptions;
import io.github.internvl4j.server.openai.DataFile;
import io.github.internvl4j.server.openai.FieldException;
import io.github.internvl4j.server.openai.JsonText;
import io.github.internvl4j.server.openai.MediaSource;
import io.github.internvl4j.video.VideoFrames;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The images and videos of one request, which stand in it themselves, or were fetched for it before: nothing is fetched here, and no
 * other file of this machine is read.
 */
final class RequestImages implements MediaSource {
    private final Map<String, byte[]> fetched;
    private long left = Limits.ALL_PIXELS;

    /** @param fetched by URL */
    RequestImages(Map<String, byte[]> fetched) {
        this.fetched = fetched;
    }

    @Override
    public Image image(String url, String path) {
        byte[] file = fetched.get(url);
        if (file == null) {
            requireData(url, path);
        }
        try {
            long most = Math.max(1, Math.min(left, Limits.PIXELS));
            Image image = Image.read(
                    file == null ? DataUri.bytes(url, JsonText.shortened(url)) : file,
                    "the image",
                    ReadOptions.defaults().maxPixels(most));
            left -= (long) image.width() * image.height();
            return image;
        } catch (ImageException | PromptException e) {
            throw new FieldException(path, "field " + path + ": " + e.getMessage(), e);
        }
    }

    @Override
    public List<Image> frames(String url, String path) {
        requireData(url, path);
        try {
            return DataFile.use(url, this::frames);
        } catch (VideoException | PromptException e) {
            throw new FieldException(path, "field " + path + ": " + e.getMessage(), e);
        }
    }

    private List<Image> frames(Path file) {
        try (VideoFrames video = VideoFrames.open(file)) {
            long pixels = (long) Limits.FRAMES * video.width() * video.height();
            if (pixels > left) {
                throw new VideoException(Limits.FRAMES + " frames of " + video.width() + "x" + video.height()
                        + " are more pixels than the " + left + " that are left for the request");
            }
            left -= pixels;
            return video.sample(Limits.FRAMES);
        }
    }

    private static void requireData(String url, String path) {
        if (!DataUri.is(url)) {
            throw new FieldException(
                    path,
                    "field " + path + ": " + JsonText.shortened(url)
                            + " is not fetched; expected data:TYPE;base64, and the file (where the server has"
                            + " --allow-remote-images, http:// and https:// for images, too)");
        }
    }
}
