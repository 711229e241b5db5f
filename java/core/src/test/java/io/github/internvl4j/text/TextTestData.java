package io.github.internvl4j.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.internvl4j.TestData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** The tokenizers the tests use: those of the oracle checkpoints and the small ones among the test resources. */
final class TextTestData {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<Path, Tokenizer> LOADED = new ConcurrentHashMap<>();

    private TextTestData() {}

    static Path root() {
        return TestData.root();
    }

    /** The checkpoints with the template Hermes-2. */
    static List<Path> checkpoints() {
        return List.of(root().resolve("hermes-d128"), root().resolve("hermes-gqa7"));
    }

    /** Every checkpoint there that comes with what the original's tokenizer does. */
    static List<Path> family() {
        List<Path> family = TestData.checkpoints();
        if (family.size() < 10) {
            throw new IllegalStateException("only " + family + " in " + root());
        }
        return family;
    }

    /** The folders below resources/.../tokenizers; make.py there says what they are. */
    static List<Path> smallTokenizers() {
        try (Stream<Path> folders =
                Files.list(Path.of(TextTestData.class.getResource("tokenizers").toURI()))) {
            return folders.filter(Files::isDirectory).sorted().toList();
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    static List<Path> all() {
        List<Path> all = new ArrayList<>(family());
        all.addAll(smallTokenizers());
        return all;
    }

    static Tokenizer tokenizer(Path folder) {
        return LOADED.computeIfAbsent(folder, Tokenizer::load);
    }

    static Tokenizer hermes() {
        return tokenizer(root().resolve("hermes-d128"));
    }

    static SentencePieceModel model(Path folder) {
        return SentencePieceModel.read(folder.resolve("tokenizer.model"));
    }

    static JsonNode json(Path file) {
        try {
            return JSON.readTree(file.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonNode expected(Path checkpoint) {
        return json(checkpoint.resolve("expected.json"));
    }

    static ConversationTemplate template(Path checkpoint) {
        JsonNode name = json(checkpoint.resolve("config.json")).path("template");
        return name.isTextual()
                ? ConversationTemplates.forName(name.textValue())
                : ConversationTemplates.ofChatTemplate(checkpoint);
    }

    static int[] ints(JsonNode list) {
        int[] values = new int[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = list.get(i).intValue();
        }
        return values;
    }

    static List<Turn> history(JsonNode list) {
        List<Turn> turns = new ArrayList<>();
        list.forEach(
                turn -> turns.add(Turn.of(turn.get(0).textValue(), turn.get(1).textValue())));
        return turns;
    }

    static List<Integer> integers(JsonNode list) {
        List<Integer> values = new ArrayList<>();
        list.forEach(value -> values.add(value.intValue()));
        return values;
    }
}
