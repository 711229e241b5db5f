package io.github.internvl4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.error.InvalidOptionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters of a server: named, and those that come into a folder and go. */
class ServedAdaptersTest {
    private static final String ADAPTER = Path.of(Cli.GQA7, "adapter").toString();

    @TempDir
    Path folder;

    /** The whole folder is there at once. */
    private void put(String name) throws IOException {
        Path made = Files.createDirectory(folder.resolve("." + name));
        try (Stream<Path> files = Files.list(Path.of(ADAPTER))) {
            for (Path file : files.toList()) {
                Files.copy(file, made.resolve(file.getFileName()));
            }
        }
        Files.move(made, folder.resolve(name));
    }

    @Test
    void whatComesIntoTheFolderIsServedAndWhatGoesIsNot() throws IOException {
        List<String> told = new ArrayList<>();
        Path watched = Files.createDirectory(folder.resolve("watched"));
        folder = watched;
        try (InternVL model = InternVL.load(Path.of(Cli.GQA7));
                ServedAdapters adapters = new ServedAdapters(model, List.of("named=" + ADAPTER), watched, told::add)) {
            assertEquals(Set.of("named"), adapters.all("model").keySet());
            assertNull(adapters.look());
            put("one");
            put("model");
            put("damaged");
            Files.writeString(watched.resolve("damaged/adapter_config.json"), "{\"use_dora\": true}");
            Runnable gone = adapters.look();
            assertNotNull(gone);
            gone.run();
            assertEquals(Set.of("named", "one"), adapters.all("model").keySet(), "but none of the model's own name");
            assertEquals(1, told.size(), told::toString);
            assertTrue(told.get(0).contains("use_dora"), told::toString);
            assertNull(adapters.look(), "what is as it was is not loaded again");
            Files.move(watched.resolve("one"), watched.resolve("two"));
            assertNotNull(adapters.look());
            assertEquals(Set.of("named", "two"), adapters.all("model").keySet());
        }
    }

    @Test
    void aNameIsGivenOnce() {
        try (InternVL model = InternVL.load(Path.of(Cli.GQA7))) {
            for (List<String> typed : List.of(List.of(ADAPTER), List.of("a=" + ADAPTER, "a=" + ADAPTER))) {
                assertThrows(InvalidOptionException.class, () -> new ServedAdapters(model, typed, null, told -> {}));
            }
        }
    }
}
