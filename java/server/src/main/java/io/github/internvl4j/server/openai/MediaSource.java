package io.github.internvl4j.server.openai;

import io.github.internvl4j.image.Image;
import java.util.List;

/** Where the images and videos of messages come from. */
public interface MediaSource {
    /**
     * Reads an image.
     *
     * @param url as the message has it
     * @param path where that stands in the request
     */
    Image image(String url, String path);

    /**
     * Reads the frames that stand for a video.
     *
     * @param url as the message has it
     * @param path where that stands in the request
     */
    List<Image> frames(String url, String path);
}
