package io.github.internvl4j.text;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.internvl4j.fuzz.Contract;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.provider.MethodSource;

/** Any vocab.json and, behind a NUL, merges.txt. */
class VocabularyFilesFuzzTest {
    private static final Path FOLDER = folder();

    private static Path folder() {
        Path folder = Contract.folder();
        Contract.write(
                folder.resolve("tokenizer_config.json"),
                "{\"tokenizer_class\":\"Qwen2Tokenizer\"}".getBytes(StandardCharsets.UTF_8));
        return folder;
    }

    static List<byte[]> seeds() throws IOException {
        Path checkpoint = TextTestData.root().resolve("qwen2-hf");
        ByteArrayOutputStream both = new ByteArrayOutputStream();
        both.write(Files.readAllBytes(checkpoint.resolve("vocab.json")));
        both.write(0);
        both.write(Files.readAllBytes(checkpoint.resolve("merges.txt")));
        return List.of(both.toByteArray());
    }

    @MethodSource("seeds")
    @FuzzTest
    void load(byte[] both) {
        int nul = 0;
        while (nul < both.length && both[nul] != 0) {
            nul++;
        }
        Contract.write(FOLDER.resolve("vocab.json"), Arrays.copyOf(both, nul));
        Contract.write(
                FOLDER.resolve("merges.txt"), Arrays.copyOfRange(both, Math.min(nul + 1, both.length), both.length));
        TokenizerFuzz.use(FOLDER);
    }
}
