package io.github.internvl4j.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.ImageException;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Damaged files give an {@link ImageException} or an image, and nothing else. */
class DamagedImageTest {
    private static final ReadOptions OPTIONS =
            ReadOptions.defaults().exifTranspose(true).maxPixels(4_000_000);

    static List<String> files() throws IOException {
        return TestImages.table("goldens.tsv").stream()
                .map(row -> row[0])
                .filter(name -> !name.equals("wide.png"))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("files")
    void truncatedFilesAreRefusedOrWhole(String name) throws IOException {
        byte[] bytes = TestImages.bytes(name);
        Image whole = Image.read(bytes, name);
        int step = Math.max(1, bytes.length / 100);
        int refused = 0;
        for (int length = 0; length < bytes.length; length += step) {
            try {
                // What may be missing is padding and what follows the pixels, never pixels.
                assertEquals(whole, Image.read(Arrays.copyOf(bytes, length), name));
            } catch (ImageException e) {
                refused++;
            }
        }
        assertTrue(refused > 0);
    }

    @ParameterizedTest
    @MethodSource("files")
    void flippedBitsDoNotSurprise(String name) throws IOException {
        byte[] sound = TestImages.bytes(name);
        Random random = new Random(name.hashCode());
        for (int i = 0; i < 60; i++) {
            byte[] bytes = sound.clone();
            int reach = i % 2 == 0 ? bytes.length : Math.min(64, bytes.length);
            for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
                bytes[random.nextInt(reach)] ^= (byte) (1 << random.nextInt(8));
            }
            try {
                Image image = Image.read(bytes, name, OPTIONS);
                assertEquals(3 * image.width() * image.height(), image.rgb().length);
            } catch (ImageException e) {
                assertTrue(String.valueOf(e.getMessage()).startsWith(name), e.getMessage());
            }
        }
    }
}
