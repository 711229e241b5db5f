package io.github.internvl4j.image;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.provider.MethodSource;

/** Any bytes behind JPEG's signature. */
class JpegFuzzTest {
    static List<byte[]> seeds() throws IOException {
        return PictureFuzz.seeds(".jpg");
    }

    @MethodSource("seeds")
    @FuzzTest
    void read(byte[] file) {
        PictureFuzz.read(file, 0xff, 0xd8, 0xff);
    }
}
