package io.github.internvl4j.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.image.DataUri;
import io.github.internvl4j.image.Image;
import java.net.URI;

/** Images of messages. They bring their bytes: nothing is fetched here, and no file of this machine read for who names it. */
final class Pictures {
    private Pictures() {}

    /**
     * Looks where an image is.
     *
     * @throws UnsupportedFeatureException if it is elsewhere
     */
    static void requireHere(dev.langchain4j.data.image.Image image) {
        URI url = image.url();
        if (image.base64Data() == null && url != null && !DataUri.is(url.toString())) {
            String where = url.getScheme() == null ? "a relative URL" : "a URL of " + url.getScheme() + ":";
            throw new UnsupportedFeatureException("an image is at " + where
                    + ", which InternVL4J does not support: it opens none; read the picture and send its bytes, as"
                    + " ImageContent.from(base64, mimeType) or ImageContent.from(path, mimeType)");
        }
    }

    /**
     * Decodes an image that is here; its content decides what it is, not its MIME type.
     *
     * @param name what messages call it
     * @throws PromptException if its text is no file's
     */
    static Image image(dev.langchain4j.data.image.Image image, String name) {
        String base64 = image.base64Data();
        URI url = image.url();
        if (base64 == null && url == null) {
            throw new InvalidRequestException(name + " has neither data nor a URL");
        }
        String text = base64 == null ? url.toString() : "data:;base64," + base64;
        return Image.read(DataUri.bytes(text, name), name);
    }
}
