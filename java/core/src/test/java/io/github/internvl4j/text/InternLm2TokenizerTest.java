package io.github.internvl4j.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InternLm2TokenizerTest {
    private static final Tokenizer TOKENIZER =
            TextTestData.tokenizer(TextTestData.root().resolve("internlm2-tiles"));

    @Test
    void renamedPiecesAreTokensByBothNames() {
        int start = TOKENIZER.tokenId("<|im_start|>").orElseThrow();
        assertArrayEquals(new int[] {1, start}, TOKENIZER.encode("<|im_start|>"));
        assertArrayEquals(new int[] {1, start}, TOKENIZER.encode("[UNUSED_TOKEN_145]"), "as the original's");
        assertEquals(
                "[UNUSED_TOKEN_145]", TOKENIZER.findMark("a [UNUSED_TOKEN_145]").orElseThrow());
        for (String typed : new String[] {"<|im_start|>", "[UNUSED_TOKEN_145]"}) {
            int[] literal = TOKENIZER.encodeLiteral(typed);
            assertFalse(Arrays.stream(literal).anyMatch(id -> id == start), () -> Arrays.toString(literal));
            assertEquals(typed, TOKENIZER.decode(literal, true));
        }
    }

    @Test
    void idsPastTheModelAreTextsOfTheirOwn() {
        int[] ids = TOKENIZER.encode("it <img> 's , a");
        assertEquals(" <s>it  <img> 's, a", TOKENIZER.decode(ids, false));
        assertEquals("it 's, a", TOKENIZER.decode(ids, true));
        assertTrue(TOKENIZER.isSpecial(TOKENIZER.tokenId("<img>").orElseThrow()));
    }

    /** The published model has a piece that is the NUL character; newer versions of sentencepiece refuse it. */
    @Test
    void aPieceThatIsNul(@TempDir Path folder) throws IOException {
        ByteArrayOutputStream model = new ByteArrayOutputStream();
        String[] pieces = {"<unk>", "<s>", "</s>", "\0", "a", "a\0"};
        for (int id = 0; id < pieces.length; id++) {
            byte[] text = pieces[id].getBytes(StandardCharsets.UTF_8);
            model.writeBytes(new byte[] {10, (byte) (text.length + 4), 10, (byte) text.length});
            model.writeBytes(text);
            model.writeBytes(new byte[] {24, (byte) (id == 0 ? 2 : id < 3 ? 3 : 1)});
        }
        model.writeBytes(new byte[] {18, 2, 24, 2, 26, 4, 24, 0, 32, 0});
        Files.write(folder.resolve("tokenizer.model"), model.toByteArray());
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"tokenizer_class\": \"InternLM2Tokenizer\"}");
        Tokenizer tokenizer = Tokenizer.load(folder);
        assertArrayEquals(new int[] {1, 3, 5, 4}, tokenizer.encode("\0a\0a"));
        assertEquals("\0a\0a", tokenizer.decode(new int[] {1, 3, 5, 4}, true));
    }
}
