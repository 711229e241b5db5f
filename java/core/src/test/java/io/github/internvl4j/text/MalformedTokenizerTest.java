package io.github.internvl4j.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.UnsupportedModelException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MalformedTokenizerTest {
    private static final List<String> FILES =
            List.of("tokenizer.model", "added_tokens.json", "tokenizer_config.json", "special_tokens_map.json");

    @TempDir
    Path folder;

    @BeforeEach
    void copy() throws IOException {
        for (String file : FILES) {
            Files.copy(TextTestData.root().resolve("hermes-gqa7").resolve(file), folder.resolve(file));
        }
    }

    /** What editors on Windows put before a text. */
    @Test
    void byteOrderMarksAreNoPartOfAFile() throws IOException {
        String text = "<|im_start|> <img> 数字";
        int[] expected = Tokenizer.load(folder).encode(text);
        for (boolean withDecoder : new boolean[] {true, false}) {
            for (String file : FILES.subList(1, FILES.size())) {
                String json = Files.readString(folder.resolve(file)).replace("\ufeff", "");
                if (!withDecoder) {
                    json = json.replace("added_tokens_decoder", "other"); // then the other two files are read
                }
                Files.writeString(folder.resolve(file), "\ufeff" + json);
            }
            assertArrayEquals(expected, Tokenizer.load(folder).encode(text));
        }
    }

    private byte[] model() throws IOException {
        return Files.readAllBytes(folder.resolve("tokenizer.model"));
    }

    /** True if the bytes are a model after all; then it must work. */
    private static boolean reads(byte[] bytes, boolean use) {
        SentencePieceModel model;
        try {
            model = SentencePieceReader.read(bytes, "tokenizer.model");
        } catch (CheckpointException | UnsupportedModelException e) {
            assertTrue(e.getMessage().startsWith("tokenizer.model: "), e.getMessage());
            return false;
        }
        if (use) {
            IntList ids = new IntList();
            new BytePairEncoder(model, Set.of(), model::pieceId).encode("Hello  数字 <|im_end|> 🦊 return", ids);
            PieceDecoder decoder = new PieceDecoder(model);
            StringBuilder text = new StringBuilder();
            for (int id : ids.toArray()) {
                decoder.accept(model.piece(id).text(), text);
            }
            decoder.finish(text);
        }
        return true;
    }

    @Test
    void cutAtEveryLength() throws IOException {
        byte[] bytes = model();
        assertTrue(reads(bytes, true));
        int accepted = 0;
        for (int length = 0; length < bytes.length; length++) {
            accepted += reads(Arrays.copyOf(bytes, length), true) ? 1 : 0;
        }
        assertTrue(accepted <= 1, "a cut file passed for a whole one " + accepted + " times");
    }

    @Test
    void everyByteChanged() throws IOException {
        byte[] bytes = model();
        Random random = new Random(1);
        for (int i = 0; i < bytes.length; i++) {
            byte[] changed = bytes.clone();
            changed[i] ^= (byte) (1 + random.nextInt(255));
            reads(changed, i % 8 == 0);
        }
    }

    @Test
    void manyBytesChanged() throws IOException {
        byte[] bytes = model();
        Random random = new Random(2);
        for (int n = 0; n < 4000; n++) {
            byte[] changed = bytes.clone();
            for (int k = random.nextInt(6); k >= 0; k--) {
                changed[random.nextInt(changed.length)] = (byte) random.nextInt();
            }
            reads(changed, n % 8 == 0);
            byte[] noise = new byte[random.nextInt(200)];
            random.nextBytes(noise);
            reads(noise, true);
        }
    }

    @Test
    void missingAndOddFiles() throws IOException {
        Path file = folder.resolve("tokenizer.model");
        for (byte[] content : new byte[][] {
            {},
            {0},
            {10},
            {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1},
            "version https://git-lfs.github.com/spec/v1\n".getBytes(StandardCharsets.UTF_8),
            {10, -1, -1, -1, -1, 7},
            {10, -1, -1, -1, -1, 15}
        }) {
            Files.write(file, content);
            String message = assertThrows(CheckpointException.class, () -> Tokenizer.load(folder))
                    .getMessage();
            assertTrue(message.startsWith(file.toString()), message);
        }
        Files.delete(file);
        String message = assertThrows(CheckpointException.class, () -> Tokenizer.load(folder))
                .getMessage();
        assertTrue(message.contains("no such file"), message);
        Files.createDirectory(file);
        assertThrows(CheckpointException.class, () -> Tokenizer.load(folder));
    }

    /**
     * A model of a few pieces: field 1 text, 2 score, 3 type; trainer_spec 3 model_type; normalizer_spec 2 charsmap.
     */
    private static byte[] small(int modelType, boolean charsmap, String... pieces) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (String piece : pieces) {
            String[] parts = piece.split("\\|", -1);
            byte[] text = parts[0].getBytes(StandardCharsets.UTF_8);
            out.write(10);
            out.write(text.length + 4);
            out.write(10);
            out.write(text.length);
            out.writeBytes(text);
            out.write(24);
            out.write(Integer.parseInt(parts[1]));
        }
        out.writeBytes(new byte[] {18, 2, 24, (byte) modelType, 26, (byte) (charsmap ? 10 : 0)});
        if (charsmap) {
            out.writeBytes(new byte[] {10, 5, 'n', 'm', 't', '_', 'x', 18, 1, 1});
        }
        return out.toByteArray();
    }

    @ParameterizedTest
    @CsvSource({
        "2, false, a|1, no piece of type UNKNOWN",
        "2, false, u|2;u|1;v|2, second unknown piece",
        "2, false, u|2;a|1;a|4, is also pieces[1]",
        "2, false, u|2;|1, has no text",
        "2, false, u|2;a|9, expected 1 to 6",
        "2, false, u|2;<0x00>|6, byte_fallback is false",
    })
    void nonsenseInAModel(int modelType, boolean charsmap, String pieces, String message) {
        byte[] bytes = small(modelType, charsmap, pieces.split(";"));
        CheckpointException e = assertThrows(CheckpointException.class, () -> SentencePieceReader.read(bytes, "m"));
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    @Test
    void modelsOfAnotherKind() {
        String unigram = assertThrows(
                        UnsupportedModelException.class,
                        () -> SentencePieceReader.read(small(1, false, "u|2", "a|1"), "m"))
                .getMessage();
        assertTrue(unigram.contains("unigram") && unigram.contains("bpe"), unigram);
        String charsmap = assertThrows(
                        UnsupportedModelException.class,
                        () -> SentencePieceReader.read(small(2, true, "u|2", "a|1"), "m"))
                .getMessage();
        assertTrue(charsmap.contains("nmt_x") && charsmap.contains("identity"), charsmap);
        assertEquals(
                2, SentencePieceReader.read(small(2, false, "u|2", "a|1"), "m").size());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "tokenizer_config.json; {; not valid JSON",
                "tokenizer_config.json; {} x; not valid JSON",
                "tokenizer_config.json; []; expected an object",
                "tokenizer_config.json; ``; expected an object",
                "tokenizer_config.json; {\"legacy\": 1}; legacy is 1",
                "tokenizer_config.json; {\"add_bos_token\": \"no\"}; add_bos_token is \"no\"",
                "tokenizer_config.json; {\"add_bos_token\": true, \"bos_token\": null}; no bos_token",
                "tokenizer_config.json; {\"eos_token\": 7}; eos_token is 7",
                "tokenizer_config.json; {\"eos_token\": {}}; eos_token.content is missing",
                "tokenizer_config.json; {\"additional_special_tokens\": {}}; additional_special_tokens is {}",
                "tokenizer_config.json; {\"additional_special_tokens\": [1]}; additional_special_tokens[0] is 1",
                "tokenizer_config.json; {\"additional_special_tokens\": [null]}; additional_special_tokens[0] is null",
                "tokenizer_config.json; {\"added_tokens_decoder\": []}; added_tokens_decoder is []",
                "tokenizer_config.json; {\"added_tokens_decoder\": {\"x\": {\"content\": \"a\"}}}; added_tokens_decoder.x",
                "tokenizer_config.json; {\"added_tokens_decoder\": {\"-1\": {\"content\": \"a\"}}}; added_tokens_decoder.-1",
                "tokenizer_config.json; {\"added_tokens_decoder\": {\"2147483647\": {\"content\": \"a\"}}}; no usable token id",
                "tokenizer_config.json; {\"added_tokens_decoder\": {\"9\": \"a\"}}; added_tokens_decoder.9 is \"a\"",
                "tokenizer_config.json; {\"added_tokens_decoder\": {\"9\": {\"content\": \"\", \"rstrip\": 0}}}; rstrip is 0",
            })
    void nonsenseInTheSettings(String file, String content, String message) throws IOException {
        Files.writeString(folder.resolve(file), content);
        Files.delete(folder.resolve("special_tokens_map.json"));
        CheckpointException e = assertThrows(CheckpointException.class, () -> Tokenizer.load(folder));
        assertTrue(e.getMessage().contains(file) && e.getMessage().contains(message), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "special_tokens_map.json; {\"eos_token\": []}; eos_token is []",
                "special_tokens_map.json; nul; not valid JSON",
                "added_tokens.json; {\"<img>\": \"1024\"}; <img>",
                "added_tokens.json; {\"<img>\": -5}; <img>",
                "added_tokens.json; {\"<img>\": 1.5}; <img>",
                "added_tokens.json; [1]; expected an object",
            })
    void nonsenseInTheOlderFiles(String file, String content, String message) throws IOException {
        Files.writeString(folder.resolve(file), content);
        Tokenizer.load(folder); // not looked at while tokenizer_config.json has added_tokens_decoder
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"add_bos_token\": false}");
        CheckpointException e = assertThrows(CheckpointException.class, () -> Tokenizer.load(folder));
        assertTrue(e.getMessage().contains(file) && e.getMessage().contains(message), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "{\"tokenizer_class\": \"BertTokenizer\"}; tokenizer_class is \"BertTokenizer\"",
                "{\"errors\": \"strict\"}; errors is \"strict\"",
                "{\"split_special_tokens\": true}; split_special_tokens",
                "{\"sp_model_kwargs\": {\"enable_sampling\": true}}; enable_sampling",
            })
    void settingsOfAnotherTokenizer(String content, String message) throws IOException {
        Files.writeString(folder.resolve("tokenizer_config.json"), content);
        InternVLException e = assertThrows(UnsupportedModelException.class, () -> Tokenizer.load(folder));
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    @Test
    void theOlderFilesAlone() throws IOException {
        Tokenizer before = Tokenizer.load(folder);
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"add_bos_token\": false}");
        Tokenizer after = Tokenizer.load(folder);
        String text = "a<img>b</img> c <|im_end|>";
        assertEquals(Arrays.toString(before.encode(text)), Arrays.toString(after.encode(text)));
        assertEquals(before.decode(before.encode(text), true), after.decode(after.encode(text), true));
    }

    @Test
    void aModelAloneIsAPlainLlamaTokenizer() throws IOException {
        for (String file : FILES.subList(1, FILES.size())) {
            Files.delete(folder.resolve(file));
        }
        Tokenizer tokenizer = Tokenizer.load(folder);
        int bos = tokenizer.tokenId("<s>").orElseThrow();
        assertEquals(768, bos, "<s> is no piece of this model, so transformers adds it behind");
        assertEquals(bos, tokenizer.encode("x")[0]);
    }
}
