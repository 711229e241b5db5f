package io.github.internvl4j.image;

import com.luciad.imageio.webp.WebPImageReaderSpi;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * WebP through libwebp, whose own ImageIO reader is made directly so that nothing hangs on plugin discovery. Of an
 * animation the first frame, on its canvas of zeros, as libwebp's animation decoder leaves it.
 */
final class WebpDecoder {
    private WebpDecoder() {}

    static Image decode(ByteSource source, ReadOptions options) throws IOException {
        WebpContainer container = WebpContainer.read(source);
        int rgbBytes = ImageDecoder.checkedRgbBytes(container.canvasWidth(), container.canvasHeight(), options);
        BufferedImage frame = decodeFrame(container.stillImage());
        if (frame.getWidth() != container.frameWidth() || frame.getHeight() != container.frameHeight()) {
            throw new IOException("its headers contradict each other");
        }
        byte[] rgb = new byte[rgbBytes];
        int[] row = new int[frame.getWidth()];
        for (int y = 0; y < frame.getHeight(); y++) {
            frame.getRaster().getDataElements(0, y, frame.getWidth(), 1, row); // ARGB, alpha not multiplied in
            int to = 3 * ((container.frameTop() + y) * container.canvasWidth() + container.frameLeft());
            for (int argb : row) {
                rgb[to++] = (byte) (argb >> 16);
                rgb[to++] = (byte) (argb >> 8);
                rgb[to++] = (byte) argb;
            }
        }
        return new Image(container.canvasWidth(), container.canvasHeight(), rgb);
    }

    private static BufferedImage decodeFrame(byte[] still) throws IOException {
        Desktop.require();
        WebpLibrary.load();
        ImageReader reader = new WebPImageReaderSpi().createReaderInstance(null);
        try (MemoryCacheImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(still))) {
            reader.setInput(in, true, true);
            BufferedImage image = reader.read(0, null);
            Desktop.works();
            return image;
        } finally {
            reader.dispose();
        }
    }
}
