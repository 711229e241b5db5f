package io.github.internvl4j.text;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.internvl4j.fuzz.Contract;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.provider.MethodSource;

/** Any tokenizer.json. */
class TokenizerJsonFuzzTest {
    private static final Path FOLDER = folder();

    private static Path folder() {
        Path folder = Contract.folder();
        Contract.write(
                folder.resolve("tokenizer_config.json"),
                "{\"tokenizer_class\":\"PreTrainedTokenizerFast\"}".getBytes(StandardCharsets.UTF_8));
        return folder;
    }

    static List<byte[]> seeds() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (String checkpoint : List.of("llama3-bpe", "qwen2-hf")) {
            seeds.add(Files.readAllBytes(TextTestData.root().resolve(checkpoint).resolve("tokenizer.json")));
        }
        return seeds;
    }

    @MethodSource("seeds")
    @FuzzTest
    void load(byte[] json) {
        Contract.write(FOLDER.resolve("tokenizer.json"), json);
        TokenizerFuzz.use(FOLDER);
    }
}
