package io.github.internvl4j.server;

import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.Image;
import io.github.internvl4j.image.ReadOptions;
import io.github.internvl4j.server.openai.DataUri;
import io.github.internvl4j.server.openai.FieldException;
import io.github.internvl4j.server.openai.MediaSource;
import java.util.List;

/** The images of one request, which stand in it themselves: nothing is fetched, and no file of this machine is read. */
final class DataImages implements MediaSource {
    private long left = Limits.ALL_PIXELS;

    @Override
    public Image image(String url, String path) {
        if (!DataUri.is(url)) {
            throw new FieldException(
                    path, "field " + path + ": remote images are not fetched; expected data:TYPE;base64, and the file");
        }
        try {
            long most = Math.max(1, Math.min(left, Limits.PIXELS));
            Image image = Image.read(
                    DataUri.bytes(url), "the image", ReadOptions.defaults().maxPixels(most));
            left -= (long) image.width() * image.height();
            return image;
        } catch (ImageException | PromptException e) {
            throw new FieldException(path, "field " + path + ": " + e.getMessage(), e);
        }
    }

    @Override
    public List<Image> frames(String url, String path) {
        throw new FieldException(path, "field " + path + ": videos are not taken; expected their frames as image_url");
    }
}
