package io.github.internvl4j.image;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.provider.MethodSource;

/** Any bytes behind GIF's signature. */
class GifFuzzTest {
    static List<byte[]> seeds() throws IOException {
        return PictureFuzz.seeds(".gif");
    }

    @MethodSource("seeds")
    @FuzzTest
    void read(byte[] file) {
        PictureFuzz.read(file, 'G', 'I', 'F', '8', '9', 'a');
    }
}
