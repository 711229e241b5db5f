package io.github.internvl4j.image;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.provider.MethodSource;

/** Any bytes behind WebP's signature, in which the file's length stands between two words. */
class WebpFuzzTest {
    static List<byte[]> seeds() throws IOException {
        return PictureFuzz.seeds(".webp");
    }

    @MethodSource("seeds")
    @FuzzTest
    void read(byte[] file) {
        if (file.length >= 12) {
            PictureFuzz.read(
                    file,
                    'R',
                    'I',
                    'F',
                    'F',
                    file[4] & 0xff,
                    file[5] & 0xff,
                    file[6] & 0xff,
                    file[7] & 0xff,
                    'W',
                    'E',
                    'B',
                    'P');
        }
    }
}
