package io.github.internvl4j.text;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.internvl4j.fuzz.Contract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.provider.MethodSource;

/** Any tokenizer.model. */
class SentencePieceFuzzTest {
    private static final Path FOLDER = Contract.folder();

    static List<byte[]> seeds() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (Path small : TextTestData.smallTokenizers()) {
            Path file = small.resolve("tokenizer.model");
            if (Files.exists(file)) {
                seeds.add(Files.readAllBytes(file));
            }
        }
        return seeds;
    }

    @MethodSource("seeds")
    @FuzzTest
    void load(byte[] model) {
        Contract.write(FOLDER.resolve("tokenizer.model"), model);
        TokenizerFuzz.use(FOLDER);
    }
}
