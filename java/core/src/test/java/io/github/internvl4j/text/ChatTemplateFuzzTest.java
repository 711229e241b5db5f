package io.github.internvl4j.text;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.UnsupportedModelException;
import io.github.internvl4j.fuzz.Contract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.provider.MethodSource;

/** Any chat_template.jinja. */
class ChatTemplateFuzzTest {
    private static final Path FOLDER = Contract.folder();

    static List<byte[]> seeds() throws IOException {
        return List.of(
                Files.readAllBytes(TextTestData.root().resolve("qwen2-hf").resolve("chat_template.jinja")));
    }

    @MethodSource("seeds")
    @FuzzTest
    void recognise(byte[] template) {
        Contract.write(FOLDER.resolve("chat_template.jinja"), template);
        Contract.check(
                () -> ChatTemplateFile.recognised(FOLDER),
                List.of(CheckpointException.class, UnsupportedModelException.class));
    }
}
