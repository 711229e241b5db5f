package io.github.internvl4j.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.error.UnsupportedModelException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is wrong with a vocabulary in vocab.json and merges.txt, or in tokenizer.json, is said by file and field. */
class MalformedByteLevelTest {
    @TempDir
    Path folder;

    private void copy(String checkpoint, String... files) throws IOException {
        for (String file : files) {
            Files.copy(TextTestData.root().resolve(checkpoint).resolve(file), folder.resolve(file));
        }
    }

    private void slow() throws IOException {
        copy("qwen2-tied", "vocab.json", "merges.txt", "tokenizer_config.json");
    }

    private ObjectNode fast() throws IOException {
        copy("qwen2-hf", "tokenizer.json", "tokenizer_config.json", "config.json");
        return (ObjectNode) TextTestData.json(folder.resolve("tokenizer.json"));
    }

    private void write(String file, JsonNode content) throws IOException {
        TextTestData.JSON.writeValue(folder.resolve(file).toFile(), content);
    }

    private void refused(Class<? extends InternVLException> kind, String... parts) {
        String message = assertThrows(kind, () -> Tokenizer.load(folder)).getMessage();
        for (String part : parts) {
            assertTrue(message.contains(part), () -> message + "\nlacks: " + part);
        }
    }

    @Test
    void filesThatAreNotThere() throws IOException {
        slow();
        Files.delete(folder.resolve("merges.txt"));
        refused(CheckpointException.class, folder + "/merges.txt: no such file");
        Files.copy(TextTestData.root().resolve("qwen2-hf/tokenizer.json"), folder.resolve("tokenizer.json"));
        refused(CheckpointException.class, "merges.txt: no such file"); // vocab.json says which tokenizer it is
        Files.delete(folder.resolve("vocab.json"));
        assertEquals(732, Tokenizer.load(folder).vocabularySize(), "tokenizer.json alone");
        Files.delete(folder.resolve("tokenizer.json"));
        refused(CheckpointException.class, folder + "/vocab.json: no such file");
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"internvl\"}");
        refused(CheckpointException.class, folder + "/tokenizer.json: no such file");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "3; alone; line 3 is \"alone\"; two tokens",
                "3; a b c; line 3 is \"a b c\"; two tokens",
                "445; h  i; line 445 is; two tokens",
                "5; qqq z; line 5: \"qqq\" is no token; vocabulary",
                "5; q z; line 5: \"qz\" is no token; vocabulary",
            })
    void mergesThatAreNone(int line, String content, String message, String more) throws IOException {
        slow();
        Path file = folder.resolve("merges.txt");
        List<String> lines = new ArrayList<>(Files.readAllLines(file));
        lines.set(line - 1, content);
        Files.write(file, lines);
        refused(CheckpointException.class, file.toString(), message, more);
    }

    @Test
    void mergesInOtherShapes() throws IOException {
        slow();
        String text = "Hello there, it is  two  spaces\r\n";
        int[] ids = Tokenizer.load(folder).encode(text);
        Path file = folder.resolve("merges.txt");
        List<String> lines = Files.readAllLines(file);
        Files.writeString(file, String.join("\r\n", lines.subList(1, lines.size())) + "\r\n\r\n");
        assertArrayEquals(ids, Tokenizer.load(folder).encode(text), "no version, other line ends");
        Files.write(file, new byte[] {'a', ' ', (byte) 0xFF, '\n'});
        refused(CheckpointException.class, file + ": not UTF-8");
        Files.writeString(file, "");
        assertEquals(5, Tokenizer.load(folder).encode("Hello").length, "bytes alone");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "a; 5; `\"a\" has the id 5 of`; id of its own",
                "a; 700; `\"a\" has the id 700`; 0 to 699",
                "a; -1; `\"a\" has the id -1`; 0 to 699",
                "a; 1.5; `\"a\" is 1.5`; a token id",
                "a; \"7\"; `\"a\" is \"7\"`; a token id",
                "a; 99999999999; `\"a\" is 99999999999`; a token id",
                "a; ; no token \"a\" for the byte 97; 256",
            })
    void idsThatAreNone(String token, String id, String message, String more) throws IOException {
        slow();
        ObjectNode vocabulary = (ObjectNode) TextTestData.json(folder.resolve("vocab.json"));
        if (id == null) {
            vocabulary.set("another", vocabulary.remove(token));
        } else {
            vocabulary.set(token, TextTestData.JSON.readTree(id));
        }
        write("vocab.json", vocabulary);
        refused(CheckpointException.class, folder + "/vocab.json: ", message, more);
    }

    @Test
    void aVocabularyThatDoesNotBeginAtZero() throws IOException {
        slow();
        ObjectNode vocabulary = (ObjectNode) TextTestData.json(folder.resolve("vocab.json"));
        vocabulary
                .properties()
                .forEach(entry -> entry.setValue(TextTestData.JSON
                        .getNodeFactory()
                        .numberNode(entry.getValue().intValue() + 1)));
        write("vocab.json", vocabulary);
        refused(CheckpointException.class, folder + "/vocab.json: ", "has the id 700; expected the 700 tokens");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "normalizer; {\"type\": \"NFKC\"}; normalizer.type is \"NFKC\"",
                "normalizer; {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFC\"}, {\"type\": \"Lowercase\"}]};"
                        + " normalizer.normalizers[1].type is \"Lowercase\"",
                "pre_tokenizer; {\"type\": \"Metaspace\"}; pre_tokenizer is {\"type\":\"Metaspace\"}",
                "pre_tokenizer; null; pre_tokenizer is null",
                "pre_tokenizer.pretokenizers.0.pattern.Regex; \"\\\\w+\"; pretokenizers[0].pattern.Regex is \"\\\\w+\"",
                "pre_tokenizer.pretokenizers.0.behavior; \"Removed\"; pretokenizers[0].behavior is \"Removed\"",
                "pre_tokenizer.pretokenizers.0.invert; true; pretokenizers[0].invert is true",
                "pre_tokenizer.pretokenizers.1.use_regex; true; pretokenizers[1].use_regex is true",
                "pre_tokenizer.pretokenizers.1.add_prefix_space; true; pretokenizers[1].add_prefix_space is true",
                "post_processor; {\"type\": \"BertProcessing\"}; post_processor.type is \"BertProcessing\"",
                "decoder; {\"type\": \"WordPiece\"}; decoder is {\"type\":\"WordPiece\"}",
                "decoder; null; decoder is null",
                "model.type; \"WordPiece\"; model.type is \"WordPiece\"",
                "model.byte_fallback; true; model.byte_fallback is true",
                "model.dropout; 0.1; model.dropout is 0.1",
                "model.end_of_word_suffix; \"</w>\"; model.end_of_word_suffix is \"</w>\"",
            })
    void stepsThatAreNotImplemented(String field, String value, String message) throws IOException {
        set(field, value);
        refused(UnsupportedModelException.class, folder + "/tokenizer.json: ", message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "model.vocab; []; model.vocab is []",
                "model.vocab.a; 700; model.vocab: \"a\" has the id 700",
                "model.vocab.a; true; model.vocab.\"a\" is true",
                "model.merges; {}; model.merges is {}",
                "model.merges.3; \"a\"; model.merges[3] is \"a\"",
                "model.merges.3; [\"a\"]; model.merges[3] is [\"a\"]",
                "model.merges.3; [\"a\", \"zzz\"]; model.merges[3]: \"zzz\" is no token",
                "model.ignore_merges; 1; model.ignore_merges is 1",
                "added_tokens.2.id; 700; added_tokens[2].id is 700; expected 702",
                "added_tokens.2.id; \"x\"; added_tokens[2].id is \"x\"",
                "added_tokens.2.content; 5; added_tokens[2].content is 5",
                "added_tokens.2; 5; added_tokens[2] is 5",
                "added_tokens; {\"a\": 1}; added_tokens is {\"a\":1}",
                "pre_tokenizer.pretokenizers; {\"a\": 1}; pre_tokenizer.pretokenizers is {\"a\":1}",
                "post_processor; {\"type\": \"TemplateProcessing\", \"single\": []}; post_processor.single is []",
                "post_processor; {\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": \"<x>\"}},"
                        + " {\"Sequence\": {\"id\": \"A\"}}]}; post_processor's template is",
            })
    void nonsenseInTokenizerJson(String field, String value, String message) throws IOException {
        set(field, value);
        refused(CheckpointException.class, folder + "/tokenizer.json: ", message);
    }

    private void set(String field, String value) throws IOException {
        ObjectNode root = fast();
        JsonNode at = root;
        String[] names = field.split("\\.");
        for (int i = 0; i < names.length - 1; i++) {
            at = at instanceof ArrayNode list ? list.get(Integer.parseInt(names[i])) : at.get(names[i]);
        }
        String last = names[names.length - 1];
        JsonNode set = TextTestData.JSON.readTree(value);
        if (at instanceof ArrayNode list) {
            list.set(Integer.parseInt(last), set);
        } else {
            ((ObjectNode) at).set(last, set);
        }
        write("tokenizer.json", root);
    }

    @Test
    void notJsonAndTooLarge() throws IOException {
        fast();
        Path file = folder.resolve("tokenizer.json");
        String whole = Files.readString(file);
        Random random = new Random(1);
        for (int i = 0; i < 60; i++) {
            Files.writeString(file, whole.substring(0, random.nextInt(whole.length())));
            refused(CheckpointException.class, file + ": ");
        }
        Files.writeString(file, "[".repeat(1 << 20));
        refused(CheckpointException.class, file + ": not valid JSON");
        Files.writeString(file, "{}");
        refused(InternVLException.class, file + ": ");
        try (RandomAccessFile large = new RandomAccessFile(file.toFile(), "rw")) {
            large.setLength(1L << 33); // takes no space on the disk
        }
        refused(CheckpointException.class, file + ": 8589934592 bytes; expected at most");
    }

    @Test
    void settingsOfAFastTokenizer() throws IOException {
        fast();
        String config = Files.readString(folder.resolve("tokenizer_config.json"));
        Tokenizer published = Tokenizer.load(folder);
        assertTrue(published.isSpecial(published.tokenId("<ref>").orElseThrow()), "flagged in tokenizer.json");
        assertEquals("<tool_call>", published.decode(new int[] {714, 727}, true));
        // What the settings flag or name is special too; a token that only they know is added.
        ObjectNode changed = (ObjectNode) TextTestData.JSON.readTree(config);
        ((ObjectNode) changed.get("added_tokens_decoder").get("715")).put("special", true);
        ((ArrayNode) changed.get("additional_special_tokens"))
                .add("<tool_call>")
                .add("<new>");
        write("tokenizer_config.json", changed);
        Tokenizer tokenizer = Tokenizer.load(folder);
        assertEquals("", tokenizer.decode(tokenizer.encode("<tool_call></tool_call><new>"), true));
        assertEquals(732, tokenizer.tokenId("<new>").orElseThrow());
        changed.put("tokenizer_class", "LlamaTokenizerFast");
        write("tokenizer_config.json", changed);
        refused(UnsupportedModelException.class, "tokenizer_class is \"LlamaTokenizerFast\"", "transformers-native");
    }
}
