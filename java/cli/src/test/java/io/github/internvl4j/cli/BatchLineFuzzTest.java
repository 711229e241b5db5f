package io.github.internvl4j.cli;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.error.InvalidOptionException;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.fuzz.Contract;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Any line of a batch file, up to where its pictures are read. */
class BatchLineFuzzTest {
    static List<byte[]> seeds() {
        return Stream.of(
                        "{\"id\":\"a\",\"prompt\":\"<image> what?\",\"images\":[\"data:image/gif;base64,R0lGODlh\"],\"max_new_tokens\":3}",
                        "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{\"messages\":[{\"role\":"
                                + "\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"},{\"type\":\"image_url\",\"image_url\":"
                                + "{\"url\":\"data:,%41\"}}]}],\"stop\":[\"x\"],\"temperature\":0.5,\"logprobs\":true,\"top_logprobs\":2}}")
                .map(line -> line.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    @MethodSource("seeds")
    @FuzzTest
    void parse(byte[] line) {
        Contract.check(
                () -> {
                    BatchLine request = BatchLine.of(BatchLine.parse(line));
                    request.config(GenerationConfig.greedy(8));
                },
                List.of(PromptException.class, InvalidOptionException.class));
    }
}
