package io.github.internvl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PromptReaderTest {
    @Test
    void aTokenizerWithMoreTokensThanTheModelHasRows(@TempDir Path folder) throws IOException {
        Path checkpoint = TestData.root().resolve("hermes-gqa7");
        for (String file :
                new String[] {"config.json", "preprocessor_config.json", "tokenizer.model", "tokenizer_config.json"}) {
            Files.copy(checkpoint.resolve(file), folder.resolve(file));
        }
        ModelInfo info = InternVL.inspect(folder);
        assertEquals(777, new PromptReader(folder, info, null).tokenizer().vocabularySize());
        Path config = folder.resolve("tokenizer_config.json");
        Files.writeString(config, Files.readString(config).replace("\"776\"", "\"900\""));
        String message = assertThrows(CheckpointException.class, () -> new PromptReader(folder, info, null))
                .getMessage();
        assertTrue(message.contains("up to 900 (") && message.contains("vocab_size in config.json is 777"), message);
        assertThrows(CheckpointException.class, () -> InternVL.load(folder), "before any weight is looked for");
    }
}
