package io.github.internvl4j.cli;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.fuzz.Contract;
import io.github.internvl4j.image.DataUri;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Any file that stands in a batch file's text itself. */
class DataUriFuzzTest {
    static List<byte[]> seeds() {
        return Stream.of("image/gif;base64,R0lGOD-_\r\n", ",%41b")
                .map(uri -> uri.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    @MethodSource("seeds")
    @FuzzTest
    void bytes(byte[] uri) {
        String text = "data:" + new String(uri, StandardCharsets.UTF_8);
        Contract.check(() -> DataUri.bytes(text, "it"), List.of(PromptException.class));
    }
}
