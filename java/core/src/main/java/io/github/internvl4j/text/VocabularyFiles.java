package io.github.internvl4j.text;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.error.CheckpointException;
import io.github.internvl4j.text.ByteLevelModel.Merge;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads a byte-level BPE from {@code vocab.json} and {@code merges.txt}. */
final class VocabularyFiles {
    private static final long MAX_MERGES_BYTES = 64L << 20;

    private VocabularyFiles() {}

    static ByteLevelModel read(Path directory) {
        JsonFile vocab = JsonFile.readExisting(
                directory.resolve("vocab.json"), "the vocabulary of a byte-level BPE, beside merges.txt");
        Path mergesFile = directory.resolve("merges.txt");
        List<Merge> merges = new ArrayList<>();
        IntList lines = new IntList();
        readMerges(mergesFile, merges, lines);
        return new ByteLevelModel(
                ids(vocab, "", vocab.root()),
                vocab.path().toString(),
                merges,
                rank -> mergesFile + ": line " + lines.get(rank),
                false);
    }

    /** The ids of an object that maps tokens to them. */
    static Map<String, Integer> ids(JsonFile file, String prefix, JsonNode vocabulary) {
        Map<String, Integer> ids = new HashMap<>(vocabulary.size() * 2);
        vocabulary.properties().forEach(entry -> {
            if (!entry.getValue().isInt()) {
                throw file.malformed(prefix + "\"" + entry.getKey() + "\"", "a token id", entry.getValue());
            }
            ids.put(entry.getKey(), entry.getValue().intValue());
        });
        return ids;
    }

    private static void readMerges(Path file, List<Merge> merges, IntList lines) {
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(file + ": no such file; expected the merges of vocab.json, one a line");
        }
        List<String> text;
        try {
            if (Files.size(file) > MAX_MERGES_BYTES) {
                throw new CheckpointException(
                        file + ": " + Files.size(file) + " bytes; expected at most " + MAX_MERGES_BYTES);
            }
            text = Files.readAllLines(file);
        } catch (CharacterCodingException e) {
            throw new CheckpointException(file + ": not UTF-8", e);
        } catch (IOException e) {
            throw new CheckpointException(file + ": cannot be read: " + e.getMessage(), e);
        }
        for (int i = 0; i < text.size(); i++) {
            String line = PythonText.strip(text.get(i));
            if (line.isEmpty() || i == 0 && line.startsWith("#version:")) {
                continue;
            }
            int space = line.indexOf(' ');
            if (space < 0 || space != line.lastIndexOf(' ')) {
                throw new CheckpointException(file + ": line " + (i + 1) + " is \""
                        + (line.length() > 120 ? line.substring(0, 120) + "..." : line)
                        + "\"; expected two tokens with a space between them");
            }
            merges.add(new Merge(line.substring(0, space), line.substring(space + 1)));
            lines.add(i + 1);
        }
    }
}
