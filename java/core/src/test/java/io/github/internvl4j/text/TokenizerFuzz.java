package io.github.internvl4j.text;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.UnsupportedModelException;
import io.github.internvl4j.fuzz.Contract;
import java.nio.file.Path;
import java.util.List;

/** Uses a tokenizer whose files are hostile, as the fuzz targets do. */
final class TokenizerFuzz {
    private static final String TEXT = " Hello,  <s>w\u00f6rld</s> \u4f60\u597d <|im_end|>\n\ud83d\ude00 1234";

    private TokenizerFuzz() {}

    /** What can be loaded encodes and decodes any text. */
    static void use(Path folder) {
        Contract.check(
                () -> {
                    Tokenizer tokenizer = Tokenizer.load(folder);
                    tokenizer.decode(tokenizer.encode(TEXT), false);
                    tokenizer.decode(tokenizer.encodeLiteral(TEXT), true);
                },
                List.of(CheckpointException.class, UnsupportedModelException.class));
    }
}
