package io.github.internvl4j.image;

import io.github.internvl4j.host.Chunks;
import java.awt.image.DataBufferByte;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.event.IIOReadWarningListener;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * JPEG through the JDK's own libjpeg, used for the part it does to the bit: entropy decoding, inverse DCT and
 * upsampling (but see {@link JpegUpsampling}). The components come back raw and {@link JpegColors} converts them,
 * since ImageIO's guesses about colour spaces differ from libjpeg's and it cannot convert CMYK.
 */
final class JpegDecoder {
    private static final int ROWS_A_TASK = 64;

    private JpegDecoder() {}

    static Image decode(ByteSource source, ReadOptions options) throws IOException {
        JpegHeader header = JpegHeader.read(source);
        int rgbBytes = ImageDecoder.checkedRgbBytes(header.width(), header.height(), options);
        byte[] pixels = components(source.array(), header);
        for (int component : header.halfRows()) {
            JpegUpsampling.interpolateRows(
                    pixels, header.width(), header.height(), header.colors().components, component);
        }
        int pixelCount = rgbBytes / 3;
        switch (header.colors()) {
            case GRAY -> {
                byte[] rgb = new byte[rgbBytes];
                for (int i = 0, to = 0; i < pixelCount; i++) {
                    rgb[to++] = pixels[i];
                    rgb[to++] = pixels[i];
                    rgb[to++] = pixels[i];
                }
                pixels = rgb;
            }
            case RGB -> {}
            case YCBCR -> {
                byte[] ycc = pixels;
                int step = 3 * header.width() * ROWS_A_TASK;
                Chunks.run(
                        (rgbBytes + step - 1) / step,
                        i -> JpegColors.yccToRgb(ycc, i * step, Math.min(rgbBytes, (i + 1) * step)));
            }
            case CMYK, YCCK -> {
                byte[] rgb = new byte[rgbBytes];
                JpegColors.cmykToRgb(pixels, header.colors() == JpegHeader.Colors.YCCK, rgb);
                pixels = rgb;
            }
        }
        return new Image(header.width(), header.height(), pixels);
    }

    /** The components as the file has them, upsampled, interleaved by pixel. */
    private static byte[] components(byte[] encoded, JpegHeader header) throws IOException {
        Desktop.require();
        ImageReader reader = newReader();
        Warnings warnings = new Warnings();
        try (MemoryCacheImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(encoded))) {
            reader.setInput(in, true, true);
            reader.addIIOReadWarningListener(warnings);
            Raster raster = reader.readRaster(0, null);
            Desktop.works();
            if (warnings.truncated) {
                throw ByteSource.truncated();
            }
            return bytes(raster, header);
        } catch (IOException e) {
            if (header.arithmetic()) {
                throw new IOException("its arithmetic coding is unknown to this Java runtime, or it is damaged", e);
            }
            throw e;
        } finally {
            reader.dispose();
        }
    }

    private static byte[] bytes(Raster raster, JpegHeader header) throws IOException {
        int bands = header.colors().components;
        if (raster.getNumBands() != bands
                || raster.getWidth() != header.width()
                || raster.getHeight() != header.height()) {
            throw new IOException("its frame header and its pixels contradict each other");
        }
        int rowBytes = bands * header.width();
        if (raster.getDataBuffer() instanceof DataBufferByte buffer
                && raster.getSampleModel() instanceof PixelInterleavedSampleModel model
                && model.getPixelStride() == bands
                && model.getScanlineStride() == rowBytes
                && isSequence(model.getBandOffsets())
                && buffer.getOffset() == 0
                && buffer.getData().length == rowBytes * header.height()) {
            return buffer.getData();
        }
        byte[] bytes = new byte[rowBytes * header.height()];
        int[] row = new int[rowBytes];
        for (int y = 0; y < header.height(); y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, header.width(), 1, row);
            for (int i = 0; i < rowBytes; i++) {
                bytes[y * rowBytes + i] = (byte) row[i];
            }
        }
        return bytes;
    }

    private static boolean isSequence(int[] offsets) {
        for (int i = 0; i < offsets.length; i++) {
            if (offsets[i] != i) {
                return false;
            }
        }
        return true;
    }

    /** The JDK's reader, whatever other plugins have put before it. */
    private static ImageReader newReader() throws IOException {
        ImageIO.getUseCache(); // Loading ImageIO fills the registry.
        Iterator<ImageReaderSpi> providers =
                IIORegistry.getDefaultInstance().getServiceProviders(ImageReaderSpi.class, false);
        while (providers.hasNext()) {
            ImageReaderSpi provider = providers.next();
            if (provider.getClass().getName().equals("com.sun.imageio.plugins.jpeg.JPEGImageReaderSpi")) {
                return provider.createReaderInstance();
            }
        }
        throw new IOException("this Java runtime has no JPEG reader");
    }

    /** Notices libjpeg's "premature end" where the end-of-image marker is there but data before it are missing. */
    private static final class Warnings implements IIOReadWarningListener {
        private boolean truncated;

        @Override
        public void warningOccurred(ImageReader reader, String warning) {
            truncated |= warning != null && warning.contains("Premature end");
        }
    }
}
