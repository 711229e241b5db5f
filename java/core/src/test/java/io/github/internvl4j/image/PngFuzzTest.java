package io.github.internvl4j.image;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.zip.CRC32;
import org.junit.jupiter.params.provider.MethodSource;

/** Any bytes behind PNG's signature, the chunks' checksums set right: no fuzzer guesses one. */
class PngFuzzTest {
    static List<byte[]> seeds() throws IOException {
        return PictureFuzz.seeds(".png");
    }

    @MethodSource("seeds")
    @FuzzTest
    void read(byte[] file) {
        setChecksums(file);
        PictureFuzz.read(file, 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n');
    }

    private static void setChecksums(byte[] file) {
        ByteBuffer bytes = ByteBuffer.wrap(file);
        int at = 8;
        while (at + 12 <= file.length) {
            int length = bytes.getInt(at);
            if (length < 0 || length > file.length - at - 12) {
                return;
            }
            CRC32 checksum = new CRC32();
            checksum.update(file, at + 4, length + 4);
            bytes.putInt(at + 8 + length, (int) checksum.getValue());
            at += 12 + length;
        }
    }
}
