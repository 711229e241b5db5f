package io.github.internvl4j.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.error.InternVLException;
import io.github.internvl4j.testhub.TestHub;
import io.github.internvl4j.testhub.TestRepository;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** A hub with a model that looks like a checkpoint, an empty cache, and a clock that nobody waits for. */
abstract class HubFixture {
    static final String NAME = "org/model-1B";
    static final String WEIGHTS = "model-00001-of-00002.safetensors";
    static final List<String> WANTED = List.of(
            "chat_template.jinja",
            "config.json",
            "merges.txt",
            WEIGHTS,
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
            "tokenizer.model");

    @TempDir
    Path folder;

    TestHub hub;
    TestRepository repository;
    Path cache;
    long free = Long.MAX_VALUE;
    final List<Duration> waits = Collections.synchronizedList(new ArrayList<>());

    @BeforeEach
    void open() throws IOException {
        cache = folder.resolve("hub");
        repository = sample(NAME);
        hub = new TestHub().with(repository);
    }

    @AfterEach
    void close() {
        hub.close();
    }

    static TestRepository sample(String name) {
        Random random = new Random(7);
        byte[] first = new byte[300_000];
        byte[] second = new byte[2_500_000];
        random.nextBytes(first);
        random.nextBytes(second);
        return new TestRepository(name)
                .with("config.json", "{\"architectures\": [\"InternVLChatModel\"]}")
                .with(
                        "model.safetensors.index.json",
                        "{\"weight_map\": {\"a\": \"" + WEIGHTS + "\", \"b\": \"model-00002-of-00002.safetensors\"}}")
                .with(WEIGHTS, first)
                .with("model-00002-of-00002.safetensors", second)
                .with("tokenizer.model", "tokens")
                .with("merges.txt", "a b")
                .with("chat_template.jinja", "{{ messages }}")
                .with("README.md", "read me")
                .with("modeling_internvl_chat.py", "import os")
                .with("pytorch_model.bin", "pickle")
                .with("pytorch_model.bin.index.json", "{}")
                .with(".gitattributes", "*")
                .with("examples/image.json", "{}");
    }

    HubOptions options() {
        return new HubOptions(hub.endpoint(), null, cache, false, 4, 3, Duration.ofSeconds(20));
    }

    Hub hub(HubOptions options) {
        return new Hub(options, new Surroundings() {
            @Override
            public long freeSpace(Path at) {
                return free;
            }

            @Override
            public void pause(Duration time) {
                waits.add(time);
            }
        });
    }

    Path pull() {
        return hub(options()).pull(NAME);
    }

    /** The snapshot holds the checkpoint's files, bit for bit, and nothing else; and nothing half is left. */
    void assertWhole(Path snapshot) throws IOException {
        assertEquals(cache.resolve("models--org--model-1B/snapshots/" + repository.commit()), snapshot);
        assertEquals(WANTED, List.copyOf(names(snapshot)));
        for (String file : WANTED) {
            assertArrayEquals(repository.content(file), Files.readAllBytes(snapshot.resolve(file)), file);
        }
        assertFalse(Stream.of(blobs())
                .flatMap(blobs -> names(blobs).stream())
                .anyMatch(name -> name.contains(".incomplete")));
    }

    Path blobs() {
        return cache.resolve("models--org--model-1B/blobs");
    }

    Path incomplete(String file) {
        return blobs().resolve(repository.etag(file) + ".internvl4j.incomplete");
    }

    static TreeSet<String> names(Path directory) {
        try (Stream<Path> all = Files.list(directory)) {
            return all.map(file -> file.getFileName().toString()).collect(Collectors.toCollection(TreeSet::new));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** The exception with one line that holds these words, and no control characters. */
    static <T extends InternVLException> T assertSays(Class<T> type, Executable use, String... words) {
        T failure = assertThrows(type, use);
        String message = String.valueOf(failure.getMessage());
        assertEquals(type, failure.getClass(), message);
        for (String word : words) {
            assertTrue(message.contains(word), message);
        }
        assertTrue(message.chars().noneMatch(Character::isISOControl), message);
        return failure;
    }
}
