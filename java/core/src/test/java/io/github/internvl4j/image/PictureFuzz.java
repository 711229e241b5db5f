package io.github.internvl4j.image;

import io.github.internvl4j.error.ImageException;
import io.github.internvl4j.fuzz.Contract;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Reads a picture as the fuzz targets do: each format has its own, so that none gets all the time. */
final class PictureFuzz {
    /** Small, so that thousands can be read in a second. */
    private static final ReadOptions OPTIONS =
            ReadOptions.defaults().exifTranspose(true).maxPixels(1 << 20);

    private static final int LARGEST_SEED = 16 << 10;

    private PictureFuzz() {}

    /** The test pictures of a format. */
    static List<byte[]> seeds(String suffix) throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (String[] row : TestImages.table("goldens.tsv")) {
            if (row[0].endsWith(suffix) && TestImages.bytes(row[0]).length <= LARGEST_SEED) {
                seeds.add(TestImages.bytes(row[0]));
            }
        }
        return seeds;
    }

    /** Reads the bytes, the first of them replaced by the format's signature. */
    static void read(byte[] file, int... signature) {
        byte[] bytes = file.clone();
        for (int i = 0; i < Math.min(bytes.length, signature.length); i++) {
            bytes[i] = (byte) signature[i];
        }
        Contract.check(
                () -> {
                    Image image = Image.read(bytes, "file", OPTIONS);
                    if (image.rgb().length != 3 * image.width() * image.height()) {
                        throw new AssertionError(
                                image.width() + "x" + image.height() + " pixels in " + image.rgb().length + " bytes");
                    }
                },
                List.of(ImageException.class));
    }
}
