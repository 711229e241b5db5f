package io.github.internvl4j.image;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.internvl4j.TestData;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.fuzz.Contract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.provider.MethodSource;

/** Any preprocessor_config.json, in both layouts. */
class PreprocessorConfigFuzzTest {
    private static final Path FILE = Contract.folder().resolve(PreprocessorConfig.FILE_NAME);

    static List<byte[]> seeds() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (String checkpoint : List.of("demo", "qwen2-hf")) {
            seeds.add(Files.readAllBytes(TestData.root().resolve(checkpoint).resolve(PreprocessorConfig.FILE_NAME)));
        }
        return seeds;
    }

    @MethodSource("seeds")
    @FuzzTest
    void read(byte[] json) {
        Contract.write(FILE, json);
        Contract.check(() -> PreprocessorConfig.read(FILE), List.of(CheckpointException.class));
        Contract.check(() -> PreprocessorConfig.readTransformers(FILE), List.of(CheckpointException.class));
    }
}
