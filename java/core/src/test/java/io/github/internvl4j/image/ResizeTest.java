package io.github.internvl4j.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.internvl4j.error.InvalidOptionException;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ResizeTest {
    static List<String[]> ofPillow() throws IOException {
        return TestImages.table("resize.tsv");
    }

    static List<String[]> ofPillowBilinear() throws IOException {
        return TestImages.table("resize-bilinear.tsv");
    }

    static List<String[]> ofTorchvision() throws IOException {
        return TestImages.table("resize-torchvision.tsv");
    }

    @ParameterizedTest
    @MethodSource("ofPillow")
    void equalsPillow(int width, int height, int newWidth, int newHeight, String hash) {
        assertResized(width, height, newWidth, newHeight, Resize.PILLOW, hash);
    }

    @ParameterizedTest
    @MethodSource("ofPillowBilinear")
    void equalsPillowsBilinear(int width, int height, int newWidth, int newHeight, String hash) {
        assertResized(width, height, newWidth, newHeight, new Resize(ResizeKernel.PILLOW, ResizeFilter.BILINEAR), hash);
    }

    @ParameterizedTest
    @MethodSource("ofTorchvision")
    void equalsTorchvision(int width, int height, int newWidth, int newHeight, String hash) {
        assertResized(width, height, newWidth, newHeight, Resize.TORCHVISION, hash);
    }

    private static void assertResized(int width, int height, int newWidth, int newHeight, Resize resize, String hash) {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (1103515245 * (i + 97 * width + height) + 12345 >>> 16);
        }
        Image resized = resize.resize(Image.ofRgb(width, height, rgb), newWidth, newHeight);
        assertEquals(newWidth + "x" + newHeight, resized.width() + "x" + resized.height());
        assertEquals(hash, TestImages.sha256(resized));
    }

    @Property(tries = 50)
    void aPlainImageStaysPlain(
            @ForAll @IntRange(min = 1, max = 80) int width,
            @ForAll @IntRange(min = 1, max = 80) int height,
            @ForAll @IntRange(min = 1, max = 80) int newWidth,
            @ForAll @IntRange(min = 1, max = 80) int newHeight,
            @ForAll ResizeKernel kernel,
            @ForAll ResizeFilter filter,
            @ForAll byte level) {
        byte[] rgb = new byte[3 * width * height];
        Arrays.fill(rgb, level);
        byte[] wanted = new byte[3 * newWidth * newHeight];
        Arrays.fill(wanted, level);
        assertEquals(
                Image.ofRgb(newWidth, newHeight, wanted),
                new Resize(kernel, filter).resize(Image.ofRgb(width, height, rgb), newWidth, newHeight));
    }

    @Test
    void refusesImpossibleSizes() {
        Image image = Image.ofRgb(1, 1, new byte[3]);
        assertSame(image, image.resize(1, 1));
        assertThrows(InvalidOptionException.class, () -> image.resize(0, 1));
        assertThrows(InvalidOptionException.class, () -> image.resize(1, -1));
        assertThrows(InvalidOptionException.class, () -> image.resize(1 << 20, 1 << 20));
    }
}
