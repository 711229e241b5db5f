package io.github.internvl4j.text;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.internvl4j.fuzz.Contract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.provider.MethodSource;

/** Any tokenizer_config.json beside a sound vocabulary of each kind. */
class TokenizerConfigFuzzTest {
    private static final Path FOLDER = folder();

    private static Path folder() {
        Path folder = Contract.folder();
        copy(folder, "demo", "tokenizer.model");
        copy(folder, "qwen2-hf", "vocab.json", "merges.txt", "tokenizer.json");
        return folder;
    }

    private static void copy(Path folder, String checkpoint, String... names) {
        try {
            for (String name : names) {
                Files.copy(TextTestData.root().resolve(checkpoint).resolve(name), folder.resolve(name));
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static List<byte[]> seeds() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (Path checkpoint : TextTestData.family()) {
            seeds.add(Files.readAllBytes(checkpoint.resolve("tokenizer_config.json")));
        }
        return seeds;
    }

    @MethodSource("seeds")
    @FuzzTest
    void load(byte[] json) {
        Contract.write(FOLDER.resolve("tokenizer_config.json"), json);
        TokenizerFuzz.use(FOLDER);
    }
}
